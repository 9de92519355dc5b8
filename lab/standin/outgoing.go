// Copyright (c) 2026 The meshops.istio authors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"io"
	"net/http"
	"time"
)

// send asks another service on behalf of r, passing on what identifies the caller and the trace.
func send(r *http.Request, method, url string, body io.Reader, headers ...string) (*http.Response, error) {
	request, err := http.NewRequestWithContext(r.Context(), method, url, body)
	if err != nil {
		return nil, err
	}
	for _, name := range append(headers, forwarded...) {
		if value := r.Header.Get(name); value != "" {
			request.Header.Set(name, value)
		}
	}
	// No connection is kept, so that single requests are spread over versions with and without a proxy.
	client := http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	return client.Do(request)
}

// relay answers r with what another service answered, or with 502 where it did not.
func relay(w http.ResponseWriter, response *http.Response, err error) {
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer response.Body.Close()
	w.Header().Set("Content-Type", response.Header.Get("Content-Type"))
	w.WriteHeader(response.StatusCode)
	io.Copy(w, response.Body)
}
