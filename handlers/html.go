package handlers

import "html/template"

// blessed marks HTML as safe to show: what internal/markdown rendered and cleaned, or internal/artwork drew.
func blessed(html string) template.HTML { return template.HTML(html) }
