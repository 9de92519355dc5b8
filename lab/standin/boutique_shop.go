// Copyright (c) 2026 The meshops.istio authors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"crypto/rand"
	"fmt"
	"html/template"
	"net/http"
	"os"
	"strconv"
)

// The shop itself: Online Boutique's frontend.

var shopPages = template.Must(template.New("shop").Parse(`<!DOCTYPE html>
<html><head><title>Online Boutique</title></head><body>
<h1><a href="/">Online Boutique</a></h1>
{{with .Message}}<p>{{.}}</p>{{end}}
<p><a href="/cart">Cart ({{.InCart}})</a></p>
<form action="/setCurrency" method="post"><select name="currency_code" onchange="this.form.submit()">
{{range .Currencies}}<option{{if eq . $.Currency}} selected{{end}}>{{.}}</option>{{end}}</select></form>
{{with .Shown}}<h2>Hot Products</h2><ul>{{range .}}
<li><a href="/product/{{.ID}}">{{.Name}}</a> {{.Price}}</li>{{end}}</ul>{{end}}
{{with .One}}<h2>{{.Name}}</h2><p>{{.Price}}</p><p>{{.Description}}</p>
<form action="/cart" method="post"><input type="hidden" name="product_id" value="{{.ID}}">
<input name="quantity" type="number" min="1" value="1"> <button>Add To Cart</button></form>{{end}}
{{with .Cart}}<h2>Cart</h2><ul>{{range .Items}}<li>{{.Quantity}} of {{.Product}}</li>{{else}}<li>Your shopping cart is empty!</li>{{end}}</ul>
<p>Total {{$.Total}}</p><form action="/cart/checkout" method="post"><input name="email" value="someone@example.com">
<button>Place Order</button></form>{{end}}
{{with .Order}}<h2>Your order is complete!</h2><p>Confirmation {{.ID}}, tracking {{.Tracking}}, total {{.Total}}</p>{{end}}
{{with .Also}}<h2>You May Also Like</h2><ul>{{range .}}<li><a href="/product/{{.}}">{{.}}</a></li>{{end}}</ul>{{end}}
{{range .Ads}}<p>Ad: <a href="{{.URL}}">{{.Text}}</a></p>{{end}}
<p>Pod: {{.Pod}}</p>
</body></html>
`))

// visit is one request to the shop, and the page that is made for it. The first service that fails ends it.
type visit struct {
	r          *http.Request
	err        error
	Message    string
	Pod        string
	User       string
	Currency   string
	Currencies []string
	InCart     int
	Shown      []product
	One        *product
	Cart       *cart
	Total      money
	Order      *order
	Also       []string
	Ads        []ad
}

// fetch asks a service, unless one has failed before.
func fetch[Out any](v *visit, service, method string, in any) Out {
	var out Out
	if v.err == nil {
		out, v.err = from[Out](v.r, service, method, in)
	}
	return out
}

func frontend(mux *http.ServeMux) {
	mux.HandleFunc("GET /_healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "ok") })
	page := func(pattern string, fill func(*visit)) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			v := enter(w, r)
			v.Currencies = fetch[codes](v, "CURRENCY", "CurrencyService/GetSupportedCurrencies", none{}).Codes
			fill(v)
			for _, item := range v.content().Items {
				v.InCart += item.Quantity
			}
			if v.err != nil {
				http.Error(w, v.err.Error(), http.StatusInternalServerError)
				return
			}
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			shopPages.Execute(w, v)
		})
	}
	page("GET /{$}", (*visit).home)
	page("GET /product/{id}", (*visit).product)
	page("GET /cart", (*visit).cart)
	page("POST /cart/checkout", func(v *visit) {
		placed := fetch[order](v, "CHECKOUT", "CheckoutService/PlaceOrder", purchase{v.User, v.Currency, v.r.FormValue("email")})
		v.Order = &placed
		v.recommend(nil)
	})
	act := func(pattern, next string, do func(*visit, http.ResponseWriter)) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			v := enter(w, r)
			if do(v, w); v.err != nil {
				http.Error(w, v.err.Error(), http.StatusInternalServerError)
				return
			}
			http.Redirect(w, r, next, http.StatusFound)
		})
	}
	act("POST /cart", "/cart", func(v *visit, _ http.ResponseWriter) {
		wanted := fetch[product](v, "PRODUCT_CATALOG", "ProductCatalogService/GetProduct", identifier{v.r.FormValue("product_id")})
		quantity, _ := strconv.Atoi(v.r.FormValue("quantity"))
		fetch[none](v, "CART", "CartService/AddItem", addition{v.User, cartItem{wanted.ID, max(quantity, 1)}})
	})
	act("POST /cart/empty", "/", func(v *visit, _ http.ResponseWriter) {
		fetch[none](v, "CART", "CartService/EmptyCart", user{v.User})
	})
	act("POST /setCurrency", "/", func(v *visit, w http.ResponseWriter) {
		if code := v.r.FormValue("currency_code"); currencies[code] != 0 {
			remember(w, "shop_currency", code)
		}
	})
}

// enter recognises a visitor by the shop's cookies, or gives new ones.
func enter(w http.ResponseWriter, r *http.Request) *visit {
	v := &visit{r: r, Currency: "USD", Message: os.Getenv("FRONTEND_MESSAGE"), Pod: hostname()}
	if known, err := r.Cookie("shop_session-id"); err == nil {
		v.User = known.Value
	} else {
		v.User = rand.Text()
		remember(w, "shop_session-id", v.User)
	}
	if chosen, err := r.Cookie("shop_currency"); err == nil {
		v.Currency = chosen.Value
	}
	return v
}

func remember(w http.ResponseWriter, name, value string) {
	http.SetCookie(w, &http.Cookie{Name: name, Value: value, Path: "/", MaxAge: 48 * 3600})
}

func (v *visit) home() {
	v.Shown = fetch[catalog](v, "PRODUCT_CATALOG", "ProductCatalogService/ListProducts", none{}).Products
	for i := range v.Shown {
		v.Shown[i].Price = v.converted(v.Shown[i].Price)
	}
	v.Ads = fetch[ads](v, "AD", "AdService/GetAds", none{}).Ads
}

func (v *visit) product() {
	one := fetch[product](v, "PRODUCT_CATALOG", "ProductCatalogService/GetProduct", identifier{v.r.PathValue("id")})
	one.Price = v.converted(one.Price)
	v.One = &one
	v.recommend([]string{one.ID})
	v.Ads = fetch[ads](v, "AD", "AdService/GetAds", none{}).Ads
}

func (v *visit) cart() {
	full, seen := v.content(), []string{}
	for _, item := range full.Items {
		seen = append(seen, item.Product)
	}
	if v.err == nil {
		v.Total, v.err = total(v.r, full, v.Currency)
	}
	v.Cart = &full
	v.recommend(seen)
}

func (v *visit) content() cart { return fetch[cart](v, "CART", "CartService/GetCart", user{v.User}) }

func (v *visit) recommend(seen []string) {
	v.Also = fetch[recommendations](v, "RECOMMENDATION", "RecommendationService/ListRecommendations", recommendations{v.User, seen}).IDs
}

func (v *visit) converted(price money) money {
	return fetch[money](v, "CURRENCY", "CurrencyService/Convert", conversion{price, v.Currency})
}
