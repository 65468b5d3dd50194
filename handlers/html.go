package handlers

import "html/template"

// blessed marks HTML as safe to show: what internal/markdown rendered and cleaned, or internal/artwork drew.
func blessed(html string) template.HTML { return template.HTML(html) }

// appLink marks the address as safe by which a device opens an authenticator app: the library that encodes it has made it whole.
func appLink(address string) template.URL { return template.URL(address) }
