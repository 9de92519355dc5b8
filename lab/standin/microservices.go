// Copyright (c) 2026 The meshops.istio authors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"bufio"
	"encoding/json"
	"io"
	"log"
	"net/http"
	"os"
	"regexp"
	"strings"
	"time"
)

// properties reads the configuration that a Spring application finds in its folder.
func properties() map[string]string {
	found := map[string]string{}
	file, err := os.Open("/app/config/application.properties")
	if err != nil {
		return found
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if name, value, ok := strings.Cut(lines.Text(), "="); ok && !strings.HasPrefix(name, "#") {
			found[strings.TrimSpace(name)] = strings.TrimSpace(value)
		}
	}
	return found
}

// spring makes a role out of routes that depend on the configuration.
func spring(port string, routes func(*http.ServeMux, map[string]string)) func([]string) error {
	return func(args []string) error {
		conf := properties()
		if known := conf["server.port"]; known != "" {
			port = known
		}
		return serve(port, func(mux *http.ServeMux) { routes(mux, conf) })(args)
	}
}

func customers(mux *http.ServeMux, conf map[string]string) {
	database := conf["spring.data.mongodb.host"] + ":" + conf["spring.data.mongodb.port"]
	documents{database: database, name: "customers", create: http.MethodPost, update: http.MethodPut}.
		serve(mux, conf["server.servlet.context-path"]+"/v2/customers")
}

func orders(mux *http.ServeMux, conf map[string]string) {
	database := regexp.MustCompile(`//([^/]+)/`).FindStringSubmatch(conf["spring.datasource.url"] + "///")[1]
	documents{
		database: database, name: "orders", create: http.MethodPut, update: http.MethodPost,
		created: func() error {
			_, err := query(conf["spring.kafka.producer.bootstrap-servers"], "RPUSH", conf["kafka.sms.topic"], conf["kafka.sms.message"])
			return err
		},
	}.serve(mux, conf["server.servlet.context-path"]+"/v2/orders")
}

// notifications reads the queue that orders writes to; it answers on no path.
func notifications(_ *http.ServeMux, conf map[string]string) {
	go func() {
		for ; ; time.Sleep(time.Second) {
			message, err := query(conf["kafka.broker.urls"], "LPOP", conf["kafka.sms.topic"])
			if err != nil {
				log.Printf("no messages from %s: %v", conf["kafka.broker.urls"], err)
			} else if !message.none {
				log.Printf("sending a text message: %s", message.text)
			}
		}
	}()
}

// documents is a REST resource with one map of a store behind it. The originals differ in the verb that creates.
type documents struct {
	database, name, create, update string
	created                        func() error
}

func (d documents) serve(mux *http.ServeMux, path string) {
	mux.HandleFunc("GET "+path, func(w http.ResponseWriter, _ *http.Request) {
		found, err := query(d.database, "HGETALL", d.name)
		list := []string{}
		for i := 1; i < len(found.items); i += 2 {
			list = append(list, found.items[i])
		}
		d.answer(w, "["+strings.Join(list, ",")+"]", err)
	})
	save := func(w http.ResponseWriter, r *http.Request) {
		text, id, err := identified(r)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		if _, err = query(d.database, "HSET", d.name, id, text); err == nil && r.Method == d.create && d.created != nil {
			err = d.created()
		}
		d.answer(w, text, err)
	}
	mux.HandleFunc(d.create+" "+path, save)
	mux.HandleFunc(d.update+" "+path+"/{id}", save)
	mux.HandleFunc("GET "+path+"/{id}", func(w http.ResponseWriter, r *http.Request) {
		found, err := query(d.database, "HGET", d.name, r.PathValue("id"))
		if err == nil && found.none {
			http.NotFound(w, r)
			return
		}
		d.answer(w, found.text, err)
	})
	mux.HandleFunc("DELETE "+path+"/{id}", func(w http.ResponseWriter, r *http.Request) {
		_, err := query(d.database, "HDEL", d.name, r.PathValue("id"))
		d.answer(w, "", err)
	})
	mux.HandleFunc("DELETE "+path, func(w http.ResponseWriter, _ *http.Request) {
		_, err := query(d.database, "DEL", d.name)
		d.answer(w, "", err)
	})
}

func (d documents) answer(w http.ResponseWriter, text string, err error) {
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json;charset=UTF-8")
	io.WriteString(w, text)
}

// identified is the JSON object of a request and its id: the one of the path, its own, or a new one.
func identified(r *http.Request) (text, id string, err error) {
	var object map[string]any
	if err := json.NewDecoder(r.Body).Decode(&object); err != nil {
		return "", "", err
	}
	for _, candidate := range []any{r.PathValue("id"), object["id"], object["orderId"]} {
		if data, _ := json.Marshal(candidate); id == "" && candidate != nil && candidate != "" {
			id = strings.Trim(string(data), `"`)
		}
	}
	if id == "" {
		id = time.Now().Format("20060102150405.000000000")
		object["id"] = id
	}
	data, err := json.Marshal(object)
	return string(data), id, err
}
