// Copyright (c) 2026 The meshops.istio authors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

// The lab's stand-in: one static program that plays, by its first argument or the name it is called by, the
// applications of Istio's samples and of the labs where no image registry answers.
package main

import (
	"fmt"
	"os"
	"path/filepath"
)

var roles = map[string]func(args []string) error{
	"helloworld":  serve("5000", helloworld),
	"productpage": serve("9080", productpage),
	"details":     serve("9080", details),
	"ratings":     serve("9080", ratings),
	"reviews":     serve("9080", reviews),
	"httpbin":     serve("8080", httpbin),

	"greeter":      serve("8080", greeter),
	"guestbook":    serve("8080", guestbook),
	"guestbook-ui": serve("8080", guestbookUI),

	"customers":     spring("8102", customers),
	"orders":        spring("8103", orders),
	"notifications": spring("8104", notifications),

	"hellodemo": serve("9095", hellodemo),

	"calc-frontend": serve("80", calcFrontend),
	"calc-backend":  serve("80", calcBackend),

	"frontend":        serve("8080", frontend),
	"ads":             serve("9555", adService),
	"carts":           serve("7070", cartService),
	"catalog":         serve("3550", catalogService),
	"checkout":        serve("5050", checkoutService),
	"currencies":      serve("7000", currencyService),
	"emails":          serve("8080", emailService),
	"payments":        serve("50051", paymentService),
	"recommendations": serve("8080", recommendationService),
	"shipping":        serve("50051", shippingService),
	"visitor":         visitor,

	"kiali":         serve("20001", kiali),
	"grafana":       serve("3000", grafana),
	"loki":          serve("3100", loki),
	"jaeger":        jaeger,
	"zipkin":        zipkin,
	"skywalking":    skywalking,
	"skywalking-ui": serve("8080", skywalkingUI),
	"swctl":         succeed,
	"reloader":      serve("8080", reloader),

	"store": keep,

	"sh":     shell,
	"wget":   wget,
	"curl":   curl,
	"sleep":  sleep,
	"pause":  pause,
	"volume": volume,
}

func main() {
	name, args := filepath.Base(os.Args[0]), os.Args[1:]
	if roles[name] == nil && len(args) > 0 {
		name, args = args[0], args[1:]
	}
	role := roles[name]
	if role == nil {
		fmt.Fprintf(os.Stderr, "stand-in: no role is called %q\n", name)
		os.Exit(2)
	}
	if err := role(args); err != nil {
		fmt.Fprintf(os.Stderr, "stand-in for %s: %v\n", name, err)
		os.Exit(exitCode(err))
	}
}
