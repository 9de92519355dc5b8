// Copyright (c) 2026 The meshops.istio authors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"bufio"
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
)

const (
	websocketGUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
	opClose       = 8
	longestFrame  = 125 // whose length is one byte
)

// websocketEcho sends each short frame back as it came, until a closing one.
func websocketEcho(w http.ResponseWriter, r *http.Request) {
	key := r.Header.Get("Sec-WebSocket-Key")
	if !strings.EqualFold(r.Header.Get("Upgrade"), "websocket") || key == "" {
		http.Error(w, "this is no WebSocket handshake", http.StatusBadRequest)
		return
	}
	connection, stream, err := http.NewResponseController(w).Hijack()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	defer connection.Close()
	sum := sha1.Sum([]byte(key + websocketGUID))
	fmt.Fprintf(stream, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Accept: %s\r\nX-Stand-In: %s\r\n\r\n", base64.StdEncoding.EncodeToString(sum[:]), os.Getenv("STAND_IN"))
	for err = stream.Flush(); err == nil; {
		var head byte
		var payload []byte
		if head, payload, err = readFrame(stream.Reader); err == nil {
			err = sendFrame(stream.Writer, head, payload)
		}
		if head&0xf == opClose {
			return
		}
	}
}

// readFrame returns a frame's first byte (its kind, and whether it is the last of a message) and what it carries.
func readFrame(from *bufio.Reader) (byte, []byte, error) {
	var head [2]byte
	if _, err := io.ReadFull(from, head[:]); err != nil {
		return 0, nil, err
	}
	length := head[1] & 0x7f
	if length > longestFrame || head[1]&0x80 == 0 {
		return 0, nil, errors.New("a frame that is too long, or not masked as clients have to")
	}
	data := make([]byte, 4+length)
	if _, err := io.ReadFull(from, data); err != nil {
		return 0, nil, err
	}
	mask, payload := data[:4], data[4:]
	for i := range payload {
		payload[i] ^= mask[i%4]
	}
	return head[0], payload, nil
}

func sendFrame(to *bufio.Writer, head byte, payload []byte) error {
	to.Write([]byte{head, byte(len(payload))})
	to.Write(payload)
	return to.Flush()
}
