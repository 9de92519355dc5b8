// Copyright (c) 2026 The meshops.istio authors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"os"
	"strings"
)

// wget knows the options that people use in `kubectl exec`; any other is refused, never ignored.
func wget(args []string) error {
	t := &transfer{agent: "Wget", follow: true, fail: true}
	flags := map[string]*bool{"-q": &t.silent, "--quiet": &t.silent, "-S": &t.verbose, "--server-response": &t.verbose}
	for args = separate(args, flags); len(args) > 0; args = args[1:] {
		switch name := args[0]; {
		case flags[name] != nil:
			*flags[name] = true
		case (name == "-O" || name == "--output-document") && len(args) > 1:
			t.output, args = args[1], args[1:]
		case name == "--header" && len(args) > 1:
			t.headers, args = append(t.headers, args[1]), args[1:]
		case strings.HasPrefix(name, "-"):
			return failure{badUsage, "option " + name + " is unknown to this stand-in"}
		default:
			t.url = name
		}
	}
	if t.output == "" {
		return failure{badUsage, "this stand-in writes only where -O says, for example -qO- for the terminal"}
	}
	if !strings.Contains(t.url, "://") {
		t.url = "http://" + t.url
	}
	err := t.run()
	if err != nil && t.silent {
		os.Exit(1)
	}
	return err
}
