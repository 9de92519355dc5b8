// Copyright (c) 2026 The meshops.istio authors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"fmt"
	"net/http"
	"os"
	"strconv"
	"time"
)

const calculatorPage = `<!DOCTYPE html>
<html><head><title>Calculator</title></head><body>
<h1>Prime factors</h1>
<form id="calculator"><input id="number" type="number" min="1" value="42"> <button>Calculate</button></form>
<pre id="result"></pre>
<script>
document.getElementById("calculator").onsubmit = async (event) => {
  event.preventDefault();
  const answer = await fetch("api/calculation", {method: "POST", headers: {number: document.getElementById("number").value}});
  document.getElementById("result").textContent = answer.status + " " + await answer.text();
};
</script>
</body></html>
`

// calcFrontend shows the page and passes calculations on to the backend that ENDPOINT names.
func calcFrontend(mux *http.ServeMux) {
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprint(w, calculatorPage)
	})
	mux.HandleFunc("GET /ping", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "Pong") })
	mux.HandleFunc("POST /api/calculation", func(w http.ResponseWriter, r *http.Request) {
		response, err := send(r, http.MethodPost, "http://"+os.Getenv("ENDPOINT")+"/api/calculation", nil, "number")
		relay(w, response, err)
	})
}

// calcBackend answers with the prime factors of the header `number`, and the version that its image has.
func calcBackend(mux *http.ServeMux) {
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "Hi!") })
	mux.HandleFunc("GET /ping", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "Pong") })
	mux.HandleFunc("POST /api/calculation", func(w http.ResponseWriter, r *http.Request) {
		number, err := strconv.ParseUint(r.Header.Get("number"), 10, 40)
		factors := primeFactors(number)
		if err != nil {
			factors = []uint64{0}
		}
		writeJSON(w, http.StatusOK, map[string]any{
			"timestamp": time.Now().UTC(), "value": factors, "host": hostname(), "__v": os.Getenv("BACKEND_VERSION"),
		})
	})
}

func primeFactors(number uint64) []uint64 {
	factors := []uint64{}
	for divisor := uint64(2); divisor*divisor <= number; divisor++ {
		for ; number%divisor == 0; number /= divisor {
			factors = append(factors, divisor)
		}
	}
	if number > 1 {
		factors = append(factors, number)
	}
	return factors
}
