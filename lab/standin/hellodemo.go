// Copyright (c) 2026 The meshops.istio authors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"fmt"
	"net/http"
)

// hellodemo answers as the service that it is named for.
func hellodemo(mux *http.ServeMux) {
	mux.HandleFunc("GET /helloWorld/sayHello", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(w, "Hello, World from service helloWorld !")
	})
}
