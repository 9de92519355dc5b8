// Copyright (c) 2026 The meshops.istio authors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// failure is an error with the exit code that the original program uses for it.
type failure struct {
	code int
	text string
}

func (f failure) Error() string { return f.text }

func exitCode(err error) int {
	var known failure
	if errors.As(err, &known) {
		return known.code
	}
	return 1
}

// sleep takes seconds, with or without a unit, or "infinity".
func sleep(args []string) error {
	if len(args) != 1 {
		return failure{2, "usage: sleep DURATION"}
	}
	if args[0] == "infinity" || args[0] == "inf" {
		return pause(nil)
	}
	text := args[0]
	if days, ok := strings.CutSuffix(text, "d"); ok {
		hours, err := strconv.ParseFloat(days, 64)
		if err != nil {
			return err
		}
		text = fmt.Sprintf("%fh", hours*24)
	} else if _, err := strconv.ParseFloat(text, 64); err == nil {
		text += "s"
	}
	duration, err := time.ParseDuration(text)
	if err != nil {
		return failure{2, "sleep: " + err.Error()}
	}
	time.Sleep(duration)
	return nil
}

// pause holds a pod's namespaces until it is told to end, and reaps what its pod leaves behind.
func pause([]string) error {
	signals := make(chan os.Signal, 16)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGCHLD)
	for received := range signals {
		if received != syscall.SIGCHLD {
			return nil
		}
		for {
			if pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil); pid <= 0 || err != nil {
				break
			}
		}
	}
	return nil
}

// volume makes or removes the folder of one claim, in the words of local-path-provisioner's helper pods.
func volume(args []string) error {
	flags := flag.NewFlagSet("volume", flag.ContinueOnError)
	path := flags.String("p", "", "the folder")
	flags.String("s", "", "the size asked for; a folder has no limit")
	flags.String("m", "", "Filesystem; the only mode there is")
	action := flags.String("a", "", "create or delete")
	if err := flags.Parse(args); err != nil {
		return err
	}
	switch *action {
	case "create":
		if err := os.MkdirAll(*path, 0o777); err != nil {
			return err
		}
		return os.Chmod(*path, 0o777)
	case "delete":
		return os.RemoveAll(*path)
	}
	return failure{2, fmt.Sprintf("unknown action %q", *action)}
}
