// Copyright (c) 2026 The meshops.istio authors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"log"
	"math"
	"net/http"
	"os"
	"slices"
	"strconv"
)

// The services behind Online Boutique's shop. Each calls those that its original calls, under the addresses that its
// environment gives, so that the mesh has the same edges.

const boutique = "/hipstershop."

type money struct {
	Currency string `json:"currency_code"`
	Units    int64  `json:"units"`
	Nanos    int64  `json:"nanos"`
}

func (m money) String() string {
	return fmt.Sprintf("%s %d.%02d", m.Currency, m.Units, m.Nanos/10_000_000)
}

// cents is the amount in hundredths, which is all that prices here need.
func (m money) cents() int64 { return m.Units*100 + m.Nanos/10_000_000 }

func inCents(currency string, cents int64) money {
	return money{currency, cents / 100, cents % 100 * 10_000_000}
}

type product struct {
	ID          string   `json:"id"`
	Name        string   `json:"name"`
	Description string   `json:"description"`
	Price       money    `json:"price_usd"`
	Categories  []string `json:"categories"`
}

var products = []product{
	{"OLJCESPC7Z", "Sunglasses", "They keep the sun where it belongs.", inCents("USD", 1999), []string{"accessories"}},
	{"66VCHSJNUP", "Tank Top", "Light, soft, and without sleeves.", inCents("USD", 1899), []string{"clothing", "tops"}},
	{"1YMWWN1N4O", "Watch", "It tells the time, and nothing else.", inCents("USD", 10999), []string{"accessories"}},
	{"L9ECAV7KIM", "Loafers", "Shoes for people without laces.", inCents("USD", 8999), []string{"footwear"}},
	{"2ZYFJ3GM2N", "Hairdryer", "Three speeds, two of them warm.", inCents("USD", 2499), []string{"hair", "beauty"}},
	{"0PUK6V6EV0", "Candle Holder", "It holds one candle.", inCents("USD", 1899), []string{"decor", "home"}},
	{"LS4PSXUNUM", "Salt & Pepper Shakers", "One of each.", inCents("USD", 1849), []string{"kitchen"}},
	{"9SIQT8TOJO", "Bamboo Glass Jar", "Glass below, bamboo on top.", inCents("USD", 549), []string{"kitchen"}},
	{"6E92ZMYYFZ", "Mug", "It holds coffee, or tea.", inCents("USD", 899), []string{"kitchen"}},
}

// How much of each currency one euro is.
var currencies = map[string]float64{"EUR": 1, "USD": 1.13, "JPY": 126.4, "GBP": 0.86, "TRY": 6.12, "CAD": 1.51}

type (
	none       struct{}
	identifier struct {
		ID string `json:"id"`
	}
	user struct {
		ID string `json:"user_id"`
	}
	cartItem struct {
		Product  string `json:"product_id"`
		Quantity int    `json:"quantity"`
	}
	cart struct {
		User  string     `json:"user_id"`
		Items []cartItem `json:"items"`
	}
	addition struct {
		User string   `json:"user_id"`
		Item cartItem `json:"item"`
	}
	catalog struct {
		Products []product `json:"products"`
	}
	recommendations struct {
		User string   `json:"user_id,omitempty"`
		IDs  []string `json:"product_ids"`
	}
	codes struct {
		Codes []string `json:"currency_codes"`
	}
	conversion struct {
		From money  `json:"from"`
		To   string `json:"to_code"`
	}
	quote struct {
		Cost money `json:"cost_usd"`
	}
	shipment struct {
		Tracking string `json:"tracking_id"`
	}
	charge struct {
		Amount money `json:"amount"`
	}
	transaction struct {
		ID string `json:"transaction_id"`
	}
	ad struct {
		URL  string `json:"redirect_url"`
		Text string `json:"text"`
	}
	ads struct {
		Ads []ad `json:"ads"`
	}
	purchase struct {
		User     string `json:"user_id"`
		Currency string `json:"user_currency"`
		Email    string `json:"email"`
	}
	order struct {
		ID       string     `json:"order_id"`
		Tracking string     `json:"shipping_tracking_id"`
		Total    money      `json:"total"`
		Items    []cartItem `json:"items"`
		Email    string     `json:"email,omitempty"`
	}
)

// from asks the service at the address that SERVICE_SERVICE_ADDR gives, on behalf of r.
func from[Out any](r *http.Request, service, method string, in any) (Out, error) {
	return call[Out](r.Context(), r.Header, os.Getenv(service+"_SERVICE_ADDR"), boutique+method, in)
}

func adService(mux *http.ServeMux) {
	health(mux)
	unary(mux, boutique+"AdService/GetAds", func(_ *http.Request, _ none) (ads, error) {
		one := products[len(rand.Text())%len(products)]
		return ads{[]ad{{"/product/" + one.ID, one.Name + " for sale."}}}, nil
	})
}

func catalogService(mux *http.ServeMux) {
	health(mux)
	unary(mux, boutique+"ProductCatalogService/ListProducts", func(*http.Request, none) (catalog, error) {
		return catalog{products}, nil
	})
	unary(mux, boutique+"ProductCatalogService/GetProduct", func(_ *http.Request, wanted identifier) (product, error) {
		at := slices.IndexFunc(products, func(one product) bool { return one.ID == wanted.ID })
		if at < 0 {
			return product{}, errors.New("no product with ID " + wanted.ID)
		}
		return products[at], nil
	})
}

func currencyService(mux *http.ServeMux) {
	health(mux)
	unary(mux, boutique+"CurrencyService/GetSupportedCurrencies", func(*http.Request, none) (codes, error) {
		return codes{[]string{"CAD", "EUR", "GBP", "JPY", "TRY", "USD"}}, nil
	})
	unary(mux, boutique+"CurrencyService/Convert", func(_ *http.Request, wanted conversion) (money, error) {
		from, to := currencies[wanted.From.Currency], currencies[wanted.To]
		if from == 0 || to == 0 {
			return money{}, fmt.Errorf("no rate from %s to %s", wanted.From.Currency, wanted.To)
		}
		return inCents(wanted.To, int64(math.Round(float64(wanted.From.cents())/from*to))), nil
	})
}

// cartService keeps carts in Redis.
func cartService(mux *http.ServeMux) {
	redis := env("REDIS_ADDR", "redis-cart:6379")
	health(mux)
	unary(mux, boutique+"CartService/AddItem", func(_ *http.Request, more addition) (none, error) {
		_, err := query(redis, "HINCRBY", "cart:"+more.User, more.Item.Product, strconv.Itoa(more.Item.Quantity))
		return none{}, err
	})
	unary(mux, boutique+"CartService/GetCart", func(_ *http.Request, of user) (cart, error) {
		found, err := query(redis, "HGETALL", "cart:"+of.ID)
		filled := cart{User: of.ID, Items: []cartItem{}}
		for i := 1; i < len(found.items); i += 2 {
			quantity, _ := strconv.Atoi(found.items[i])
			filled.Items = append(filled.Items, cartItem{found.items[i-1], quantity})
		}
		return filled, err
	})
	unary(mux, boutique+"CartService/EmptyCart", func(_ *http.Request, of user) (none, error) {
		_, err := query(redis, "DEL", "cart:"+of.ID)
		return none{}, err
	})
}

func recommendationService(mux *http.ServeMux) {
	health(mux)
	unary(mux, boutique+"RecommendationService/ListRecommendations",
		func(r *http.Request, seen recommendations) (recommendations, error) {
			all, err := from[catalog](r, "PRODUCT_CATALOG", "ProductCatalogService/ListProducts", none{})
			found := []string{}
			for _, one := range all.Products {
				if !slices.Contains(seen.IDs, one.ID) && len(found) < 4 {
					found = append(found, one.ID)
				}
			}
			return recommendations{IDs: found}, err
		})
}

func shippingService(mux *http.ServeMux) {
	health(mux)
	unary(mux, boutique+"ShippingService/GetQuote", func(_ *http.Request, of cart) (quote, error) {
		if len(of.Items) == 0 {
			return quote{inCents("USD", 0)}, nil
		}
		return quote{inCents("USD", 899)}, nil
	})
	unary(mux, boutique+"ShippingService/ShipOrder", func(*http.Request, cart) (shipment, error) {
		return shipment{rand.Text()}, nil
	})
}

func paymentService(mux *http.ServeMux) {
	health(mux)
	unary(mux, boutique+"PaymentService/Charge", func(_ *http.Request, due charge) (transaction, error) {
		log.Printf("charging %s", due.Amount)
		return transaction{rand.Text()}, nil
	})
}

func emailService(mux *http.ServeMux) {
	health(mux)
	unary(mux, boutique+"EmailService/SendOrderConfirmation", func(_ *http.Request, of order) (none, error) {
		log.Printf("confirming order %s", of.ID)
		return none{}, nil
	})
}
