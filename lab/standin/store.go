// Copyright (c) 2026 The meshops.istio authors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"maps"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// store plays the databases and queues of the applications: lists and maps of texts, in the protocol of Redis
// whatever the original speaks. With DATA it keeps them in that folder, so that a volume is seen to be one.
type store struct {
	lock  sync.Mutex
	lists map[string][]string
	maps  map[string]map[string]string
	log   *os.File
}

var errStore = errors.New("ERR unknown command, or wrong number of arguments")

// commands with the number of words that each takes at least; those that write are kept.
var commands = map[string]struct {
	words  int
	writes bool
	run    func(s *store, words []string) (any, error)
}{
	"PING":    {1, false, func(*store, []string) (any, error) { return "PONG", nil }},
	"RPUSH":   {3, true, (*store).push},
	"LPOP":    {2, true, (*store).pop},
	"LRANGE":  {2, false, func(s *store, words []string) (any, error) { return slices.Clone(s.lists[words[1]]), nil }},
	"HSET":    {4, true, (*store).set},
	"HINCRBY": {4, true, (*store).add},
	"HGET":    {3, false, (*store).get},
	"HDEL":    {3, true, func(s *store, words []string) (any, error) { delete(s.maps[words[1]], words[2]); return 1, nil }},
	"HGETALL": {2, false, (*store).all},
	"DEL": {2, true, func(s *store, words []string) (any, error) {
		delete(s.lists, words[1])
		delete(s.maps, words[1])
		return 1, nil
	}},
}

func (s *store) push(words []string) (any, error) {
	s.lists[words[1]] = append(s.lists[words[1]], words[2:]...)
	return len(s.lists[words[1]]), nil
}

func (s *store) pop(words []string) (any, error) {
	list := s.lists[words[1]]
	if len(list) == 0 {
		return nil, nil
	}
	s.lists[words[1]] = list[1:]
	return list[0], nil
}

func (s *store) set(words []string) (any, error) {
	if s.maps[words[1]] == nil {
		s.maps[words[1]] = map[string]string{}
	}
	s.maps[words[1]][words[2]] = words[3]
	return 1, nil
}

func (s *store) add(words []string) (any, error) {
	more, err := strconv.Atoi(words[3])
	if err != nil {
		return nil, errStore
	}
	before, _ := strconv.Atoi(s.maps[words[1]][words[2]])
	s.set([]string{"", words[1], words[2], strconv.Itoa(before + more)})
	return before + more, nil
}

func (s *store) get(words []string) (any, error) {
	if value, ok := s.maps[words[1]][words[2]]; ok {
		return value, nil
	}
	return nil, nil
}

func (s *store) all(words []string) (any, error) {
	pairs := []string{}
	for _, key := range slices.Sorted(maps.Keys(s.maps[words[1]])) {
		pairs = append(pairs, key, s.maps[words[1]][key])
	}
	return pairs, nil
}

func (s *store) do(words []string) (any, error) {
	s.lock.Lock()
	defer s.lock.Unlock()
	command, known := commands[strings.ToUpper(words[0])]
	if !known || len(words) < command.words {
		return nil, errStore
	}
	answer, err := command.run(s, words)
	if err == nil && command.writes && s.log != nil {
		_, err = io.WriteString(s.log, array(words))
	}
	return answer, err
}

// open reads what an earlier run has kept, and goes on keeping.
func (s *store) open(folder string) error {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	kept, err := os.OpenFile(filepath.Join(folder, "stand-in.log"), os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	for reader := bufio.NewReader(kept); ; {
		words, err := readArray(reader)
		if err != nil {
			break
		}
		s.do(words)
	}
	s.log = kept
	return nil
}

// keep is a role: it listens, answers, and on SIGTERM lets its clients finish.
func keep([]string) error {
	s := &store{lists: map[string][]string{}, maps: map[string]map[string]string{}}
	if folder := os.Getenv("DATA"); folder != "" {
		if err := s.open(folder); err != nil {
			return err
		}
	}
	asked, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	// Kafka says where its ZooKeeper is; without it, it does not start either.
	for needed := os.Getenv("KAFKA_ZOOKEEPER_CONNECT"); needed != "" && asked.Err() == nil; wait(asked, time.Second) {
		_, err := query(needed, "PING")
		if err == nil {
			break
		}
		log.Printf("waiting for %s: %v", needed, err)
	}
	listener, err := net.Listen("tcp", ":"+env("PORT", "6379"))
	if err != nil {
		return err
	}
	log.Printf("stand-in for %s listens on %s", os.Getenv("STAND_IN"), listener.Addr())
	go func() {
		<-asked.Done()
		time.Sleep(lame)
		listener.Close()
	}()
	var open sync.WaitGroup
	for {
		connection, err := listener.Accept()
		if err != nil {
			break
		}
		open.Go(func() { s.talk(connection) })
	}
	idle := make(chan struct{})
	go func() { open.Wait(); close(idle) }()
	select {
	case <-idle:
	case <-time.After(drain):
	}
	return nil
}

func (s *store) talk(connection net.Conn) {
	defer connection.Close()
	for reader := bufio.NewReader(connection); ; {
		words, err := readArray(reader)
		if err != nil {
			return
		}
		answer, err := s.do(words)
		if _, err := io.WriteString(connection, encode(answer, err)); err != nil {
			return
		}
	}
}

func encode(answer any, err error) string {
	switch value := answer.(type) {
	case string:
		return bulk(value)
	case int:
		return fmt.Sprintf(":%d\r\n", value)
	case []string:
		return array(value)
	}
	if err != nil {
		return fmt.Sprintf("-%v\r\n", err)
	}
	return "$-1\r\n"
}

func bulk(text string) string { return fmt.Sprintf("$%d\r\n%s\r\n", len(text), text) }

func array(words []string) string {
	text := fmt.Sprintf("*%d\r\n", len(words))
	for _, word := range words {
		text += bulk(word)
	}
	return text
}

// reply is one answer: a text, an item per element of a list, or neither where there is nothing.
type reply struct {
	text  string
	items []string
	none  bool
}

// query sends one command to a store.
func query(address string, words ...string) (reply, error) {
	connection, err := net.DialTimeout("tcp", address, 5*time.Second)
	if err != nil {
		return reply{}, err
	}
	defer connection.Close()
	connection.SetDeadline(time.Now().Add(5 * time.Second))
	if _, err := io.WriteString(connection, array(words)); err != nil {
		return reply{}, err
	}
	return read(bufio.NewReader(connection))
}

func readArray(reader *bufio.Reader) ([]string, error) {
	answer, err := read(reader)
	if err == nil && len(answer.items) == 0 {
		err = errStore
	}
	return answer.items, err
}

func read(reader *bufio.Reader) (reply, error) {
	line, err := reader.ReadString('\n')
	if err != nil {
		return reply{}, err
	}
	line = strings.TrimRight(line, "\r\n")
	if line == "" {
		return reply{}, errStore
	}
	rest := line[1:]
	size, err := strconv.Atoi(rest)
	if sized := line[0] == '$' || line[0] == '*'; sized && (err != nil || size > 1<<20) {
		return reply{}, errStore
	}
	switch line[0] {
	case '+', ':':
		return reply{text: rest}, nil
	case '-':
		return reply{}, errors.New(rest)
	case '$':
		if size < 0 {
			return reply{none: true}, nil
		}
		data := make([]byte, size+2)
		_, err := io.ReadFull(reader, data)
		return reply{text: string(data[:size])}, err
	case '*':
		items := []string{}
		for range size {
			item, err := read(reader)
			if err != nil {
				return reply{}, err
			}
			items = append(items, item.text)
		}
		return reply{items: items}, nil
	}
	return reply{}, errStore
}
