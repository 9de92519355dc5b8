// Copyright (c) 2026 The meshops.istio authors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// The addons of an Istio release, Prometheus and the tracing backends aside: pages that say what they stand in for,
// and the paths that probes and people ask.

var (
	webRoot    = regexp.MustCompile(`(?m)^\s+web_root:\s*(\S+)`)
	prometheus = regexp.MustCompile(`(?m)^\s+url:\s*(http\S*prometheus\S*|http\S*:9090\S*)`)
)

func kiali(mux *http.ServeMux) {
	root := strings.TrimSuffix(setting("/kiali-configuration/config.yaml", webRoot, "/kiali"), "/")
	mux.HandleFunc(root+"/healthz", empty)
	mux.HandleFunc(root+"/api", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, map[string]any{"status": map[string]string{"Kiali state": "running"}})
	})
	mux.HandleFunc(root+"/", titled("Kiali"))
}

func grafana(mux *http.ServeMux) {
	root := ""
	if os.Getenv("GF_SERVER_SERVE_FROM_SUB_PATH") == "true" {
		if parsed, err := url.Parse(grafanaRoot.ReplaceAllString(os.Getenv("GF_SERVER_ROOT_URL"), "http://host")); err == nil {
			root = strings.TrimSuffix(parsed.Path, "/")
		}
	}
	mux.HandleFunc("/api/health", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, map[string]string{"database": "ok"})
	})
	mux.HandleFunc(root+"/api/search", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, dashboards())
	})
	mux.HandleFunc(root+"/api/datasources/proxy/1/", func(w http.ResponseWriter, r *http.Request) {
		source := setting("/etc/grafana/provisioning/datasources/datasources.yaml", prometheus, "http://prometheus:9090")
		_, rest, _ := strings.Cut(r.URL.Path, "/proxy/1")
		pass(w, r, source+rest+"?"+r.URL.RawQuery)
	})
	mux.HandleFunc(root+"/", titled("Grafana"))
}

var grafanaRoot = regexp.MustCompile(`^%\(protocol\)s://%\(domain\)s:%\(http_port\)s`)

// dashboards are those that the release's own ConfigMaps bring.
func dashboards() []map[string]string {
	found := []map[string]string{}
	files, _ := filepath.Glob("/var/lib/grafana/dashboards/*/*.json")
	for _, file := range files {
		var dashboard struct{ Title, UID string }
		data, err := os.ReadFile(file)
		if err == nil && json.Unmarshal(data, &dashboard) == nil {
			found = append(found, map[string]string{"title": dashboard.Title, "uid": dashboard.UID, "type": "dash-db"})
		}
	}
	return found
}

func loki(mux *http.ServeMux) {
	mux.HandleFunc("/ready", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ready") })
	mux.HandleFunc("/loki/api/v1/labels", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, map[string]any{"status": "success", "data": []string{}})
	})
}

func skywalkingUI(mux *http.ServeMux) { mux.HandleFunc("/", titled("SkyWalking")) }

func reloader(mux *http.ServeMux) { mux.HandleFunc("/healthz", empty) }

func titled(name string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprintf(w, "<!doctype html><title>%s</title><h1>%s</h1><p>The lab's stand-in; it was asked for %q.\n", name, name, r.URL.Path)
	}
}

func empty(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) }

// setting is what a pattern finds in a file of configuration.
func setting(path string, pattern *regexp.Regexp, otherwise string) string {
	data, err := os.ReadFile(path)
	if err != nil {
		return otherwise
	}
	if found := pattern.FindSubmatch(data); found != nil {
		return strings.Trim(string(found[1]), `"'`)
	}
	return otherwise
}

func pass(w http.ResponseWriter, r *http.Request, address string) {
	request, err := http.NewRequestWithContext(r.Context(), http.MethodGet, address, nil)
	if err == nil {
		var answer *http.Response
		if answer, err = http.DefaultClient.Do(request); err == nil {
			defer answer.Body.Close()
			w.Header().Set("Content-Type", answer.Header.Get("Content-Type"))
			w.WriteHeader(answer.StatusCode)
			io.Copy(w, answer.Body)
			return
		}
	}
	writeJSON(w, http.StatusBadGateway, map[string]string{"error": err.Error()})
}

// together runs several roles as one program, until the first of them ends.
func together(parts ...func([]string) error) func([]string) error {
	return func(args []string) error {
		ended := make(chan error, len(parts))
		for _, part := range parts {
			go func() { ended <- part(args) }()
		}
		return <-ended
	}
}

func succeed([]string) error { return nil }
