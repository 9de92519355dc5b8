// Copyright (c) 2026 The meshops.istio authors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"crypto/rand"
	"net/http"
	"strings"
)

// checkoutService makes an order of a cart, by way of six other services.
func checkoutService(mux *http.ServeMux) {
	health(mux)
	unary(mux, boutique+"CheckoutService/PlaceOrder", placeOrder)
}

func placeOrder(r *http.Request, by purchase) (order, error) {
	full, err := from[cart](r, "CART", "CartService/GetCart", user{by.User})
	if err != nil {
		return order{}, err
	}
	due, err := total(r, full, by.Currency)
	if err != nil {
		return order{}, err
	}
	if _, err := from[transaction](r, "PAYMENT", "PaymentService/Charge", charge{due}); err != nil {
		return order{}, err
	}
	sent, err := from[shipment](r, "SHIPPING", "ShippingService/ShipOrder", full)
	if err != nil {
		return order{}, err
	}
	if _, err := from[none](r, "CART", "CartService/EmptyCart", user{by.User}); err != nil {
		return order{}, err
	}
	placed := order{strings.ToLower(rand.Text()), sent.Tracking, due, full.Items, by.Email}
	_, err = from[none](r, "EMAIL", "EmailService/SendOrderConfirmation", placed)
	return placed, err
}

// total is what a cart and its shipping cost, in another currency than the dollars that prices are in.
func total(r *http.Request, full cart, currency string) (money, error) {
	shipping, err := from[quote](r, "SHIPPING", "ShippingService/GetQuote", full)
	if err != nil {
		return money{}, err
	}
	cents := shipping.Cost.cents()
	for _, item := range full.Items {
		one, err := from[product](r, "PRODUCT_CATALOG", "ProductCatalogService/GetProduct", identifier{item.Product})
		if err != nil {
			return money{}, err
		}
		cents += one.Price.cents() * int64(item.Quantity)
	}
	return from[money](r, "CURRENCY", "CurrencyService/Convert", conversion{inCents("USD", cents), currency})
}
