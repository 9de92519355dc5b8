// Copyright (c) 2026 The meshops.istio authors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"encoding/json"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"os"
	"strings"
)

const messages = "messages"

func hostname() string {
	name, _ := os.Hostname()
	return name
}

// greeter is the guestbook's helloworld-service; its Deployment tells it its version.
func greeter(mux *http.ServeMux) {
	mux.HandleFunc("GET /hello/{name}", func(w http.ResponseWriter, r *http.Request) {
		version := env("version", "1.0")
		writeJSON(w, http.StatusOK, map[string]string{
			"hostname": hostname(), "version": version,
			"greeting": fmt.Sprintf("Hello %s from %s with %s", r.PathValue("name"), hostname(), version),
		})
	})
}

type message struct {
	Username string `json:"username"`
	Message  string `json:"message"`
}

// guestbook is the guestbook-service, which keeps the messages in mysql.
func guestbook(mux *http.ServeMux) {
	mux.HandleFunc("GET /api/messages", func(w http.ResponseWriter, _ *http.Request) {
		kept, err := query("mysql:3306", "LRANGE", messages)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		list := make([]message, len(kept.items))
		for i, item := range kept.items {
			json.Unmarshal([]byte(item), &list[i])
		}
		writeJSON(w, http.StatusOK, map[string]any{"_embedded": map[string]any{"messages": list}})
	})
	mux.HandleFunc("POST /api/messages", func(w http.ResponseWriter, r *http.Request) {
		var given message
		if err := json.NewDecoder(r.Body).Decode(&given); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		text, _ := json.Marshal(given)
		if _, err := query("mysql:3306", "RPUSH", messages, string(text)); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		writeJSON(w, http.StatusCreated, given)
	})
}

var guestbookPage = template.Must(template.New("guestbook").Parse(`<!DOCTYPE html>
<html><head><title>Guestbook</title></head><body>
<h1>Guestbook</h1>
<p>Served by {{.Host}}{{with .Visits}}, visit {{.}}{{end}}.</p>
<form action="/greet" method="post">
<input name="name" placeholder="Name"> <input name="message" placeholder="Message"> <button>Greet</button>
</form>
{{with .Greeting}}<p>{{.}}</p>{{end}}
<ul>{{range .Messages}}<li>{{.Username}}: {{.Message}}</li>{{else}}<li>{{$.Trouble}}</li>{{end}}</ul>
</body></html>
`))

// guestbookUI is the guestbook-ui: a page made of guestbook-service and redis, and an echo of helloworld-service.
func guestbookUI(mux *http.ServeMux) {
	const service, hello = "http://guestbook-service:8080/api/messages", "http://helloworld-service:8080/hello/"
	mux.HandleFunc("GET /echo/{name}", func(w http.ResponseWriter, r *http.Request) {
		response, err := send(r, http.MethodGet, hello+url.PathEscape(r.PathValue("name")), nil)
		var greeting map[string]any
		if err != nil || response.StatusCode != http.StatusOK || json.NewDecoder(response.Body).Decode(&greeting) != nil {
			relay(w, response, err)
			return
		}
		response.Body.Close()
		writeJSON(w, http.StatusOK, map[string]any{"greeting": greeting})
	})
	mux.HandleFunc("POST /greet", func(w http.ResponseWriter, r *http.Request) {
		given, _ := json.Marshal(message{r.FormValue("name"), r.FormValue("message")})
		response, err := send(r, http.MethodPost, service, strings.NewReader(string(given)))
		if err != nil || response.StatusCode != http.StatusCreated {
			relay(w, response, err)
			return
		}
		response.Body.Close()
		http.Redirect(w, r, "/?name="+url.QueryEscape(r.FormValue("name")), http.StatusSeeOther)
	})
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		page := struct {
			Host, Visits, Greeting, Trouble string
			Messages                        []message
		}{Host: hostname(), Trouble: "No messages yet."}
		if visits, err := query("redis:6379", "HINCRBY", "guestbook-ui", "visits", "1"); err == nil {
			page.Visits = visits.text
		}
		if name := r.FormValue("name"); name != "" {
			var greeting struct{ Greeting string }
			if response, err := send(r, http.MethodGet, hello+url.PathEscape(name), nil); err == nil {
				json.NewDecoder(response.Body).Decode(&greeting)
				response.Body.Close()
			}
			page.Greeting = greeting.Greeting
		}
		var kept struct {
			Embedded struct{ Messages []message } `json:"_embedded"`
		}
		response, err := send(r, http.MethodGet, service, nil)
		if err == nil {
			err = json.NewDecoder(response.Body).Decode(&kept)
			response.Body.Close()
		}
		if err != nil {
			page.Trouble = "The messages cannot be read."
		}
		page.Messages = kept.Embedded.Messages
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		guestbookPage.Execute(w, page)
	})
}
