// Copyright (c) 2026 The meshops.istio authors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// gRPC as far as the stand-ins need it: one request, one answer. The framing, the paths, the status and HTTP/2 are
// gRPC's own, so that proxies, routes and probes see what they see of the originals. Messages are JSON instead of
// Protocol Buffers, for which gRPC has the content type application/grpc+json.

const (
	grpcType      = "application/grpc+json"
	largestFrame  = 1 << 20
	statusUnknown = "2"
)

// unary makes `method` (/package.Service/Method) a route.
func unary[In, Out any](mux *http.ServeMux, method string, answer func(*http.Request, In) (Out, error)) {
	mux.HandleFunc("POST "+method, func(w http.ResponseWriter, r *http.Request) {
		var in In
		data, err := unframed(r.Body)
		if err == nil {
			err = json.Unmarshal(data, &in)
		}
		var out Out
		if err == nil {
			out, err = answer(r, in)
		}
		data, _ = json.Marshal(out)
		writeFrame(w, grpcType, data, err)
	})
}

// health answers gRPC's health check: SERVING, as a message of Protocol Buffers, because the kubelet asks for one.
func health(mux *http.ServeMux) {
	mux.HandleFunc("POST /grpc.health.v1.Health/Check", func(w http.ResponseWriter, r *http.Request) {
		_, err := unframed(r.Body)
		writeFrame(w, "application/grpc", []byte{0x08, 0x01}, err)
	})
}

func writeFrame(w http.ResponseWriter, kind string, data []byte, err error) {
	header := w.Header()
	header.Set("Content-Type", kind)
	header.Set("Trailer", "Grpc-Status, Grpc-Message")
	if err == nil {
		w.Write(framed(data))
		w.(http.Flusher).Flush() // else a Content-Length is added, which gRPC does not have
		header.Set("Grpc-Status", "0")
		return
	}
	w.WriteHeader(http.StatusOK)
	header.Set("Grpc-Status", statusUnknown)
	header.Set("Grpc-Message", err.Error())
}

// call asks the service at `address` for one method.
func call[Out any](ctx context.Context, headers http.Header, address, method string, in any) (Out, error) {
	var out Out
	data, err := json.Marshal(in)
	if err != nil {
		return out, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+address+method, bytes.NewReader(framed(data)))
	if err != nil {
		return out, err
	}
	for _, name := range forwarded {
		if value := headers.Get(name); value != "" {
			request.Header.Set(name, value)
		}
	}
	request.Header.Set("Content-Type", grpcType)
	request.Header.Set("TE", "trailers")
	response, err := grpcClient.Do(request)
	if err != nil {
		return out, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return out, fmt.Errorf("%s%s answered with HTTP status %d", address, method, response.StatusCode)
	}
	data, err = unframed(response.Body)
	io.Copy(io.Discard, response.Body)
	status := response.Trailer.Get("Grpc-Status") + response.Header.Get("Grpc-Status")
	if status != "0" {
		said := response.Trailer.Get("Grpc-Message") + response.Header.Get("Grpc-Message")
		return out, fmt.Errorf("%s%s answered with status %s: %s", address, method, status, said)
	}
	if err != nil {
		return out, err
	}
	return out, json.Unmarshal(data, &out)
}

var grpcClient = func() *http.Client {
	var plain http.Protocols
	plain.SetUnencryptedHTTP2(true)
	return &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{Protocols: &plain}}
}()

func framed(data []byte) []byte {
	head := make([]byte, 5, 5+len(data))
	binary.BigEndian.PutUint32(head[1:], uint32(len(data)))
	return append(head, data...)
}

func unframed(body io.Reader) ([]byte, error) {
	var head [5]byte
	if _, err := io.ReadFull(body, head[:]); err != nil {
		return nil, err
	}
	size := binary.BigEndian.Uint32(head[1:])
	if head[0] != 0 || size > largestFrame {
		return nil, errors.New("compressed and very large messages are not understood")
	}
	data := make([]byte, size)
	_, err := io.ReadFull(body, data)
	return data, err
}
