// Copyright (c) 2026 The meshops.istio authors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// visitor walks through the shop for ever, RATE requests a second: Online Boutique's load generator.
func visitor([]string) error {
	asked, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	shop := "http://" + env("FRONTEND_ADDR", "frontend:80")
	rate, err := strconv.ParseFloat(env("RATE", "1"), 64)
	if err != nil || rate <= 0 {
		return fmt.Errorf("RATE is %s, and has to be a number of requests a second", os.Getenv("RATE"))
	}
	jar, _ := cookiejar.New(nil)
	client := &http.Client{Jar: jar, Timeout: 30 * time.Second}
	var requests, failures int
	for asked.Err() == nil {
		if err := step(asked, client, shop); err != nil && asked.Err() == nil {
			failures++
			log.Print(err)
		}
		if requests++; requests%100 == 0 {
			log.Printf("%d requests, %d failures", requests, failures)
		}
		wait(asked, time.Duration(float64(time.Second)/rate))
	}
	return nil
}

// step is one request of a visitor: mostly looking, sometimes buying.
func step(ctx context.Context, client *http.Client, shop string) error {
	some := products[rand.IntN(len(products))].ID
	switch rand.IntN(10) {
	case 0, 1, 2:
		return get(ctx, client, http.MethodGet, shop+"/", nil)
	case 3:
		return get(ctx, client, http.MethodPost, shop+"/setCurrency", url.Values{"currency_code": {"EUR"}})
	case 4:
		return get(ctx, client, http.MethodPost, shop+"/cart", url.Values{"product_id": {some}, "quantity": {"1"}})
	case 5:
		return get(ctx, client, http.MethodGet, shop+"/cart", nil)
	case 6:
		return get(ctx, client, http.MethodPost, shop+"/cart/checkout", url.Values{"email": {"someone@example.com"}})
	}
	return get(ctx, client, http.MethodGet, shop+"/product/"+some, nil)
}

func get(ctx context.Context, client *http.Client, method, address string, form url.Values) error {
	request, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	if form != nil {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	io.Copy(io.Discard, response.Body)
	if response.StatusCode >= 400 {
		return fmt.Errorf("%s %s: %s", method, address, response.Status)
	}
	return nil
}

// shell is no shell: it does the one thing that Online Boutique's script asks of one, waiting for the shop to answer.
func shell([]string) error {
	shop := os.Getenv("FRONTEND_ADDR")
	if shop == "" {
		return failure{127, "a stand-in has no shell"}
	}
	client := &http.Client{Timeout: 10 * time.Second}
	for range 60 {
		err := get(context.Background(), client, http.MethodGet, "http://"+shop, nil)
		if err == nil {
			return nil
		}
		log.Print(err)
		time.Sleep(2 * time.Second)
	}
	return failure{1, shop + " does not answer"}
}
