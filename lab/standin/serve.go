// Copyright (c) 2026 The meshops.istio authors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"context"
	"encoding/json"
	"log"
	"net/http"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	// After SIGTERM the proxies in front need a moment to hear that this pod is leaving: until then it still answers.
	lame = 2 * time.Second
	// What is in flight after that may take this long.
	drain = 20 * time.Second
)

// serve makes a role out of routes: it listens, answers, and on SIGTERM drains before it ends.
func serve(port string, routes func(*http.ServeMux)) func([]string) error {
	return func([]string) error {
		mux := http.NewServeMux()
		routes(mux)
		var leaving atomic.Bool
		var protocols http.Protocols
		protocols.SetHTTP1(true)
		protocols.SetUnencryptedHTTP2(true) // gRPC's
		server := &http.Server{
			Addr:              ":" + env("PORT", port),
			Protocols:         &protocols,
			ReadHeaderTimeout: 30 * time.Second,
			Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("x-stand-in", os.Getenv("STAND_IN"))
				if leaving.Load() {
					w.Header().Set("Connection", "close")
				}
				mux.ServeHTTP(w, r)
			}),
		}
		ended := make(chan error, 1)
		go func() { ended <- server.ListenAndServe() }()
		log.Printf("stand-in for %s listens on %s", os.Getenv("STAND_IN"), server.Addr)
		asked, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
		defer stop()
		select {
		case err := <-ended:
			return err
		case <-asked.Done():
		}
		leaving.Store(true)
		time.Sleep(lame)
		limit, cancel := context.WithTimeout(context.Background(), drain)
		defer cancel()
		return server.Shutdown(limit)
	}
}

func env(name, otherwise string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return otherwise
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(body); err != nil {
		log.Printf("answer not sent: %v", err)
	}
}
