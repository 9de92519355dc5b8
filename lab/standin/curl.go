// Copyright (c) 2026 The meshops.istio authors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Exit codes of curl.
const (
	badUsage       = 2
	cannotResolve  = 6
	cannotConnect  = 7
	httpError      = 22
	timedOut       = 28
	tlsFailed      = 35
	emptyReply     = 52
	receiveFailure = 56
)

type transfer struct {
	url, method, output, format, data, user, agent, cacert   string
	headers                                                  []string
	silent, showError, head, include, insecure, follow, fail bool
	verbose                                                  bool
	connectTimeout, maxTime                                  time.Duration
	resolve                                                  map[string]string
}

// curl knows the options that people use in `kubectl exec`; any other is refused, never ignored.
func curl(args []string) error {
	t, err := parse(args)
	if err != nil {
		return err
	}
	err = t.run()
	if err != nil && t.silent && !t.showError {
		os.Exit(exitCode(err))
	}
	return err
}

func parse(args []string) (*transfer, error) {
	t := &transfer{agent: "curl/8.16.0", resolve: map[string]string{}}
	flags := map[string]*bool{
		"-s": &t.silent, "--silent": &t.silent, "-S": &t.showError, "--show-error": &t.showError,
		"-I": &t.head, "--head": &t.head, "-i": &t.include, "--include": &t.include, "-v": &t.verbose, "--verbose": &t.verbose,
		"-k": &t.insecure, "--insecure": &t.insecure, "-L": &t.follow, "--location": &t.follow, "-f": &t.fail, "--fail": &t.fail,
	}
	texts := map[string]*string{
		"-X": &t.method, "--request": &t.method, "-o": &t.output, "--output": &t.output, "-w": &t.format, "--write-out": &t.format,
		"-d": &t.data, "--data": &t.data, "--data-raw": &t.data, "-u": &t.user, "--user": &t.user,
		"-A": &t.agent, "--user-agent": &t.agent, "--cacert": &t.cacert, "--url": &t.url,
	}
	durations := map[string]*time.Duration{"--connect-timeout": &t.connectTimeout, "-m": &t.maxTime, "--max-time": &t.maxTime}
	for args = separate(args, flags); len(args) > 0; {
		name := args[0]
		args = args[1:]
		if flag := flags[name]; flag != nil {
			*flag = true
			continue
		}
		if !strings.HasPrefix(name, "-") {
			t.url = name
			continue
		}
		if len(args) == 0 {
			return nil, failure{badUsage, "option " + name + " is unknown or lacks its value"}
		}
		value := args[0]
		args = args[1:]
		switch {
		case texts[name] != nil:
			*texts[name] = value
		case durations[name] != nil:
			seconds, err := strconv.ParseFloat(value, 64)
			if err != nil {
				return nil, failure{badUsage, name + " needs seconds"}
			}
			*durations[name] = time.Duration(seconds * float64(time.Second))
		case name == "-H" || name == "--header":
			t.headers = append(t.headers, value)
		case name == "--resolve" || name == "--connect-to":
			parts := strings.SplitN(value, ":", 3)
			if name == "--connect-to" || len(parts) != 3 {
				return nil, failure{badUsage, name + " is known only as --resolve HOST:PORT:ADDRESS"}
			}
			t.resolve[parts[0]+":"+parts[1]] = net.JoinHostPort(strings.Trim(parts[2], "[]"), parts[1])
		default:
			return nil, failure{badUsage, "option " + name + " is unknown to this stand-in"}
		}
	}
	if t.url == "" {
		return nil, failure{badUsage, "no URL specified"}
	}
	if !strings.Contains(t.url, "://") {
		t.url = "http://" + t.url
	}
	return t, nil
}

// separate turns -sSo FILE into -s -S -o FILE, and --name=value into two words.
func separate(args []string, flags map[string]*bool) []string {
	var words []string
	for _, word := range args {
		if name, value, ok := strings.Cut(word, "="); ok && strings.HasPrefix(name, "--") {
			words = append(words, name, value)
			continue
		}
		for len(word) > 2 && word[0] == '-' && word[1] != '-' {
			words = append(words, word[:2])
			if flags[word[:2]] == nil {
				word = word[2:]
				break
			}
			word = "-" + word[2:]
		}
		words = append(words, word)
	}
	return words
}

func (t *transfer) run() error {
	request, err := t.request()
	if err != nil {
		return failure{badUsage, err.Error()}
	}
	client, err := t.client()
	if err != nil {
		return err
	}
	if t.verbose {
		if dump, err := httputil.DumpRequestOut(request, false); err == nil {
			fmt.Fprintf(os.Stderr, "> %s\n", strings.ReplaceAll(strings.TrimSpace(string(dump)), "\n", "\n> "))
		}
	}
	started := time.Now()
	response, err := client.Do(request)
	if err != nil {
		t.report(nil, 0, started)
		return failure{code(err), err.Error()}
	}
	defer response.Body.Close()
	head, _ := httputil.DumpResponse(response, false)
	if t.verbose {
		fmt.Fprintf(os.Stderr, "< %s\n", strings.ReplaceAll(strings.TrimSpace(string(head)), "\n", "\n< "))
	}
	out, err := t.open()
	if err != nil {
		return err
	}
	defer out.Close()
	if t.include || t.head {
		out.Write(head)
	}
	size := int64(0)
	if !(t.fail && response.StatusCode >= 400) {
		if size, err = io.Copy(out, response.Body); err != nil {
			return failure{receiveFailure, err.Error()}
		}
	}
	t.report(response, size, started)
	if t.fail && response.StatusCode >= 400 {
		return failure{httpError, fmt.Sprintf("The requested URL returned error: %d", response.StatusCode)}
	}
	return nil
}

func (t *transfer) request() (*http.Request, error) {
	method := http.MethodGet
	var body io.Reader
	if t.data != "" {
		method, body = http.MethodPost, strings.NewReader(t.data)
	}
	if t.head {
		method = http.MethodHead
	}
	if t.method != "" {
		method = t.method
	}
	request, err := http.NewRequest(method, t.url, body)
	if err != nil {
		return nil, err
	}
	request.Header.Set("User-Agent", t.agent)
	request.Header.Set("Accept", "*/*")
	if t.data != "" {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if name, password, ok := strings.Cut(t.user, ":"); ok {
		request.SetBasicAuth(name, password)
	}
	for _, header := range t.headers {
		name, value, _ := strings.Cut(header, ":")
		if value = strings.TrimSpace(value); strings.EqualFold(name, "Host") {
			request.Host = value
		} else {
			request.Header.Set(strings.TrimSpace(name), value)
		}
	}
	return request, nil
}

func (t *transfer) client() (*http.Client, error) {
	security := &tls.Config{InsecureSkipVerify: t.insecure}
	if t.cacert != "" {
		data, err := os.ReadFile(t.cacert)
		if err != nil {
			return nil, failure{77, err.Error()}
		}
		security.RootCAs = x509.NewCertPool()
		security.RootCAs.AppendCertsFromPEM(data)
	}
	dialer := &net.Dialer{Timeout: t.connectTimeout}
	client := &http.Client{Timeout: t.maxTime, Transport: &http.Transport{
		TLSClientConfig: security, DisableCompression: true,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			if other, ok := t.resolve[address]; ok {
				address = other
			}
			return dialer.DialContext(ctx, network, address)
		},
	}}
	if !t.follow {
		client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	}
	return client, nil
}

func (t *transfer) open() (io.WriteCloser, error) {
	if t.output == "" || t.output == "-" {
		return os.Stdout, nil
	}
	return os.Create(t.output)
}

// report prints what -w asks for.
func (t *transfer) report(response *http.Response, size int64, started time.Time) {
	status, version, address := 0, "0", t.url
	if response != nil {
		status, version, address = response.StatusCode, fmt.Sprint(response.ProtoMajor), response.Request.URL.String()
	}
	seconds := fmt.Sprintf("%f", time.Since(started).Seconds())
	fmt.Print(strings.NewReplacer(
		"%{http_code}", fmt.Sprintf("%03d", status), "%{response_code}", fmt.Sprintf("%03d", status),
		"%{time_total}", seconds, "%{size_download}", fmt.Sprint(size), "%{url_effective}", address,
		"%{http_version}", version, `\n`, "\n", `\t`, "\t",
	).Replace(t.format))
}

func code(err error) int {
	var name *net.DNSError
	var network net.Error
	var certificate *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	switch {
	case errors.As(err, &name):
		return cannotResolve
	case errors.As(err, &network) && network.Timeout():
		return timedOut
	case errors.As(err, &certificate):
		return 60
	case errors.As(err, &record):
		return tlsFailed
	case errors.Is(err, syscall.ECONNRESET):
		return receiveFailure
	case errors.Is(err, io.EOF):
		return emptyReply
	}
	return cannotConnect
}
