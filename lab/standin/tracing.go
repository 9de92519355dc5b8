// Copyright (c) 2026 The meshops.istio authors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"regexp"
	"sort"
	"strings"
	"sync"
)

// The tracing backends keep which services have sent spans, and how often: enough to see that tracing is on.

type spans struct {
	lock  sync.Mutex
	count map[string]int
}

var received = spans{count: map[string]int{}}

func (s *spans) add(service string) {
	s.lock.Lock()
	defer s.lock.Unlock()
	s.count[service]++
}

func (s *spans) services() []string {
	s.lock.Lock()
	defer s.lock.Unlock()
	names := []string{}
	for name := range s.count {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

// zipkinAPI takes spans as Zipkin's JSON.
func zipkinAPI(mux *http.ServeMux) {
	mux.HandleFunc("/health", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, map[string]string{"status": "UP"})
	})
	mux.HandleFunc("POST /api/v2/spans", func(w http.ResponseWriter, r *http.Request) {
		var sent []struct {
			LocalEndpoint struct{ ServiceName string }
		}
		if err := json.NewDecoder(r.Body).Decode(&sent); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		for _, span := range sent {
			received.add(span.LocalEndpoint.ServiceName)
		}
		w.WriteHeader(http.StatusAccepted)
	})
	for _, root := range []string{"", "/zipkin"} {
		mux.HandleFunc("GET "+root+"/api/v2/services", func(w http.ResponseWriter, _ *http.Request) {
			writeJSON(w, http.StatusOK, received.services())
		})
	}
	mux.HandleFunc("/zipkin/", titled("Zipkin"))
}

var basePath = regexp.MustCompile(`(?m)^\s+base_path:\s*(\S+)`)

func jaegerPage(mux *http.ServeMux) {
	root := strings.TrimSuffix(setting("/jaeger-configuration/config.yaml", basePath, env("QUERY_BASE_PATH", "/jaeger")), "/")
	mux.HandleFunc(root+"/api/services", func(w http.ResponseWriter, _ *http.Request) {
		names := received.services()
		writeJSON(w, http.StatusOK, map[string]any{"data": names, "total": len(names)})
	})
	mux.HandleFunc(root+"/", titled("Jaeger"))
}

func jaegerStatus(mux *http.ServeMux) { mux.HandleFunc("/status", empty) }

// jaeger1Status is where Jaeger 1, of Istio 1.28, says that it is well.
func jaeger1Status(mux *http.ServeMux) { mux.HandleFunc("/", empty) }

// otlp takes spans by OpenTelemetry's protocol, of which it reads the services' names only.
func otlp(mux *http.ServeMux) {
	mux.HandleFunc("POST /opentelemetry.proto.collector.trace.v1.TraceService/Export", func(w http.ResponseWriter, r *http.Request) {
		data, err := unframed(r.Body)
		if name := serviceName(data); name != "" {
			received.add(name)
		}
		writeFrame(w, "application/grpc", nil, err)
	})
}

// serviceName finds the attribute service.name in a message of Protocol Buffers: after the key come the field with
// the value (0x12 and its length), and in it the text (0x0a, its length, the bytes).
func serviceName(message []byte) string {
	_, rest, found := bytes.Cut(message, []byte("service.name"))
	if !found || len(rest) < 4 || rest[0] != 0x12 || rest[2] != 0x0a {
		return ""
	}
	length := int(rest[3])
	if len(rest) < 4+length {
		return ""
	}
	return string(rest[4 : 4+length])
}

var (
	zipkin = serve("9411", zipkinAPI)
	jaeger = together(
		serve("16686", jaegerPage), serve("13133", jaegerStatus), serve("14269", jaeger1Status),
		serve("9411", zipkinAPI), serve("4317", otlp),
	)
	skywalking = together(serve("11800", otlp), serve("12800", jaegerStatus))
)
