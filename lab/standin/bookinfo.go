// Copyright (c) 2026 The meshops.istio authors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"log"
	"net/http"
	"os"
	"strconv"
	"sync"
	"time"
)

// What every service of bookinfo passes on, so that requests can be traced and matched by user.
var forwarded = []string{
	"x-request-id", "x-ot-span-context", "x-datadog-trace-id", "x-datadog-parent-id", "x-datadog-sampling-priority",
	"traceparent", "tracestate", "x-cloud-trace-context", "grpc-trace-bin", "x-b3-traceid", "x-b3-spanid",
	"x-b3-parentspanid", "x-b3-sampled", "x-b3-flags", "sw8", "end-user", "user-agent", "cookie", "authorization", "jwt",
}

// ask gets JSON from another service of bookinfo into body; the status is 500 where there was no answer at all.
func ask(r *http.Request, service string, timeout time.Duration, body any) int {
	host := env(service+"_HOSTNAME", map[string]string{"DETAILS": "details", "REVIEWS": "reviews", "RATINGS": "ratings"}[service])
	if domain := os.Getenv("SERVICES_DOMAIN"); domain != "" {
		host += "." + domain
	}
	path := map[string]string{"DETAILS": "details", "REVIEWS": "reviews", "RATINGS": "ratings"}[service]
	// SERVICE_PORT variables that Kubernetes itself sets hold the same number.
	url := fmt.Sprintf("http://%s:%s/%s/%s", host, env(service+"_SERVICE_PORT", "9080"), path, r.PathValue("id"))
	request, err := http.NewRequestWithContext(r.Context(), http.MethodGet, url, nil)
	if err != nil {
		return http.StatusInternalServerError
	}
	for _, name := range forwarded {
		if value := r.Header.Get(name); value != "" {
			request.Header.Set(name, value)
		}
	}
	// No connection is kept: the samples show how single requests are spread over versions.
	client := http.Client{Timeout: timeout, Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(request)
	if err != nil {
		log.Printf("%s: %v", url, err)
		return http.StatusInternalServerError
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return response.StatusCode
	}
	if err := json.NewDecoder(response.Body).Decode(body); err != nil {
		return http.StatusInternalServerError
	}
	return http.StatusOK
}

func numeric(w http.ResponseWriter, r *http.Request, complaint string) (int, bool) {
	id, err := strconv.Atoi(r.PathValue("id"))
	if err != nil {
		writeJSON(w, http.StatusBadRequest, map[string]string{"error": complaint})
	}
	return id, err == nil
}

func details(mux *http.ServeMux) {
	mux.HandleFunc("/health", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, map[string]string{"status": "Details is healthy"})
	})
	mux.HandleFunc("/details/{id}", func(w http.ResponseWriter, r *http.Request) {
		if id, ok := numeric(w, r, "please provide numeric product id"); ok {
			writeJSON(w, http.StatusOK, map[string]any{
				"id": id, "author": "William Shakespeare", "year": 1595, "type": "paperback", "pages": 200,
				"publisher": "PublisherA", "language": "English", "ISBN-10": "1234567890", "ISBN-13": "123-1234567890",
			})
		}
	})
}

type rating struct {
	ID      int            `json:"id"`
	Ratings map[string]int `json:"ratings"`
}

func ratings(mux *http.ServeMux) {
	var lock sync.Mutex
	added := map[int]rating{}
	mux.HandleFunc("/health", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, map[string]string{"status": "Ratings is healthy"})
	})
	mux.HandleFunc("GET /ratings/{id}", func(w http.ResponseWriter, r *http.Request) {
		id, ok := numeric(w, r, "please provide numeric product ID")
		if !ok {
			return
		}
		lock.Lock()
		defer lock.Unlock()
		if known, ok := added[id]; ok {
			writeJSON(w, http.StatusOK, known)
			return
		}
		writeJSON(w, http.StatusOK, rating{id, map[string]int{"Reviewer1": 5, "Reviewer2": 4}})
	})
	mux.HandleFunc("POST /ratings/{id}", func(w http.ResponseWriter, r *http.Request) {
		id, ok := numeric(w, r, "please provide numeric product ID")
		if !ok {
			return
		}
		given := rating{ID: id}
		if err := json.NewDecoder(r.Body).Decode(&given.Ratings); err != nil {
			writeJSON(w, http.StatusBadRequest, map[string]string{"error": "please provide valid ratings JSON"})
			return
		}
		lock.Lock()
		defer lock.Unlock()
		added[id] = given
		writeJSON(w, http.StatusOK, given)
	})
}

func reviews(mux *http.ServeMux) {
	texts := []string{
		"An extremely entertaining play by Shakespeare. The slapstick humour is refreshing!",
		"Absolutely fun and entertaining. The play lacks thematic depth when compared to other plays by Shakespeare.",
	}
	color := env("STAR_COLOR", "black")
	timeout := 10 * time.Second
	if color != "black" {
		timeout = 2500 * time.Millisecond
	}
	mux.HandleFunc("/health", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, map[string]string{"status": "Reviews is healthy"})
	})
	mux.HandleFunc("/reviews/{id}", func(w http.ResponseWriter, r *http.Request) {
		var stars rating
		rated := os.Getenv("ENABLE_RATINGS") == "true"
		available := rated && ask(r, "RATINGS", timeout, &stars) == http.StatusOK
		all := []map[string]any{}
		for i, text := range texts {
			reviewer := fmt.Sprintf("Reviewer%d", i+1)
			review := map[string]any{"reviewer": reviewer, "text": text}
			switch {
			case available:
				review["rating"] = map[string]any{"stars": stars.Ratings[reviewer], "color": color}
			case rated:
				review["rating"] = map[string]any{"error": "Ratings service is currently unavailable"}
			}
			all = append(all, review)
		}
		writeJSON(w, http.StatusOK, map[string]any{
			"id": r.PathValue("id"), "podname": os.Getenv("HOSTNAME"), "clustername": env("CLUSTER_NAME", "null"), "reviews": all,
		})
	})
}

var page = template.Must(template.New("page").Parse(`<!DOCTYPE html>
<html><head><title>Simple Bookstore App</title></head><body>
<h1>The Comedy of Errors</h1>
<h4>Book Details</h4>
{{with .Details.error}}<p>Error fetching product details! {{.}}</p>{{else}}<dl>
{{range $name, $value := .Details}}<dt>{{$name}}</dt><dd>{{$value}}</dd>
{{end}}</dl>{{end}}
<h4>Book Reviews</h4>
{{with .Reviews.error}}<p>Error fetching product reviews! {{.}}</p>{{else}}{{range .Reviews.reviews}}<blockquote>
<p>{{.text}}</p><small>{{.reviewer}}</small>
{{with .rating}}{{if .error}}<p>{{.error}}</p>{{else}}<font color="{{.color}}">{{.stars}} stars</font>{{end}}{{end}}
</blockquote>
{{end}}<p>Reviews served by: {{.Reviews.podname}}</p>{{end}}
<footer>This page is a stand-in for the sample application.</footer>
</body></html>
`))

// part asks for details or reviews of a product, twice where the original does.
func part(r *http.Request, service, what string, tries int) (int, map[string]any) {
	status := 0
	for range tries {
		var body map[string]any
		if status = ask(r, service, 3*time.Second, &body); status == http.StatusOK {
			return status, body
		}
	}
	return status, map[string]any{"error": "Sorry, product " + what + " are currently unavailable for this book."}
}

func productpage(mux *http.ServeMux) {
	product := map[string]any{"id": 0, "title": "The Comedy of Errors"}
	api := func(path, service, what string, tries int) {
		mux.HandleFunc("/api/v1/products/{id}"+path, func(w http.ResponseWriter, r *http.Request) {
			status, body := part(r, service, what, tries)
			writeJSON(w, status, body)
		})
	}
	api("", "DETAILS", "details", 1)
	api("/reviews", "REVIEWS", "reviews", 2)
	api("/ratings", "RATINGS", "ratings", 1)
	mux.HandleFunc("/api/v1/products", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, []any{product})
	})
	mux.HandleFunc("/health", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "Product page is healthy") })
	mux.HandleFunc("/login", func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "user", Value: r.FormValue("username")})
		http.Redirect(w, r, "/productpage", http.StatusFound)
	})
	mux.HandleFunc("/logout", func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "user", MaxAge: -1})
		http.Redirect(w, r, "/productpage", http.StatusFound)
	})
	front := func(w http.ResponseWriter, r *http.Request) {
		r.SetPathValue("id", "0")
		if user, err := r.Cookie("user"); err == nil && user.Value != "" {
			r.Header.Set("end-user", user.Value)
		}
		_, book := part(r, "DETAILS", "details", 1)
		_, opinions := part(r, "REVIEWS", "reviews", 2)
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		if err := page.Execute(w, map[string]any{"Details": book, "Reviews": opinions}); err != nil {
			log.Printf("page not sent: %v", err)
		}
	}
	mux.HandleFunc("/productpage", front)
	mux.HandleFunc("/{$}", front)
}
