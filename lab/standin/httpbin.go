// Copyright (c) 2026 The meshops.istio authors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

const (
	longestDelay = 10 * time.Second
	mostBytes    = 100 * 1024
)

// echo describes a request as go-httpbin does: every header and argument with the list of its values.
func echo(r *http.Request, more map[string]any) map[string]any {
	origin, _, _ := net.SplitHostPort(r.RemoteAddr)
	if via := r.Header.Get("X-Forwarded-For"); via != "" {
		origin = strings.TrimSpace(strings.Split(via, ",")[0])
	}
	scheme := env("SCHEME", "http")
	if proto := r.Header.Get("X-Forwarded-Proto"); proto != "" {
		scheme = proto
	}
	headers := r.Header.Clone()
	headers.Set("Host", r.Host)
	answer := map[string]any{
		"args": r.URL.Query(), "headers": headers, "method": r.Method, "origin": origin,
		"url": scheme + "://" + r.Host + r.URL.RequestURI(),
	}
	for name, value := range more {
		answer[name] = value
	}
	return answer
}

func withBody(r *http.Request) (map[string]any, error) {
	data, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err != nil {
		return nil, err
	}
	more := map[string]any{"data": string(data), "files": map[string]any{}, "form": map[string]any{}, "json": nil}
	switch kind := r.Header.Get("Content-Type"); {
	case strings.HasPrefix(kind, "application/json"):
		var parsed any
		if json.Unmarshal(data, &parsed) == nil {
			more["json"] = parsed
		}
	case strings.HasPrefix(kind, "application/x-www-form-urlencoded"):
		if form, err := url.ParseQuery(string(data)); err == nil {
			more["form"] = form
		}
	}
	return echo(r, more), nil
}

func httpbin(mux *http.ServeMux) {
	mux.HandleFunc("GET /get", func(w http.ResponseWriter, r *http.Request) { writeJSON(w, http.StatusOK, echo(r, nil)) })
	body := func(w http.ResponseWriter, r *http.Request) {
		answer, err := withBody(r)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		writeJSON(w, http.StatusOK, answer)
	}
	for _, method := range []string{"POST", "PUT", "PATCH", "DELETE"} {
		mux.HandleFunc(method+" /"+strings.ToLower(method), body)
	}
	mux.HandleFunc("/anything", body)
	mux.HandleFunc("/anything/", body)
	only := func(path, field string) {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			writeJSON(w, http.StatusOK, map[string]any{strings.TrimPrefix(path, "/"): echo(r, nil)[field]})
		})
	}
	only("/headers", "headers")
	mux.HandleFunc("/ip", func(w http.ResponseWriter, r *http.Request) {
		writeJSON(w, http.StatusOK, map[string]any{"origin": echo(r, nil)["origin"]})
	})
	mux.HandleFunc("/user-agent", func(w http.ResponseWriter, r *http.Request) {
		writeJSON(w, http.StatusOK, map[string]string{"user-agent": r.UserAgent()})
	})
	mux.HandleFunc("/status/{code}", func(w http.ResponseWriter, r *http.Request) {
		code, err := strconv.Atoi(r.PathValue("code"))
		if err != nil || code < 200 || code > 599 {
			http.Error(w, "invalid status code", http.StatusBadRequest)
			return
		}
		w.WriteHeader(code)
	})
	mux.HandleFunc("/delay/{seconds}", func(w http.ResponseWriter, r *http.Request) {
		seconds, err := strconv.ParseFloat(strings.TrimSuffix(r.PathValue("seconds"), "s"), 64)
		if err != nil || seconds < 0 {
			http.Error(w, "invalid duration", http.StatusBadRequest)
			return
		}
		wait(r.Context(), min(time.Duration(seconds*float64(time.Second)), longestDelay))
		body(w, r)
	})
	mux.HandleFunc("/bytes/{count}", func(w http.ResponseWriter, r *http.Request) {
		count, err := strconv.Atoi(r.PathValue("count"))
		if err != nil || count < 0 {
			http.Error(w, "invalid byte count", http.StatusBadRequest)
			return
		}
		data := make([]byte, min(count, mostBytes))
		rand.Read(data)
		w.Header().Set("Content-Type", "application/octet-stream")
		w.Header().Set("Content-Length", strconv.Itoa(len(data)))
		w.Write(data)
	})
	mux.HandleFunc("GET /websocket/echo", websocketEcho)
	mux.HandleFunc("/response-headers", func(w http.ResponseWriter, r *http.Request) {
		for name, values := range r.URL.Query() {
			w.Header()[http.CanonicalHeaderKey(name)] = values
		}
		writeJSON(w, http.StatusOK, r.URL.Query())
	})
}

func wait(ctx context.Context, duration time.Duration) {
	select {
	case <-time.After(duration):
	case <-ctx.Done():
	}
}
