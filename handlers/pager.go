package handlers

import (
	"fmt"
	"strconv"

	"github.com/gofiber/fiber/v2"

	"github.com/cdfoundation/portal/internal/links"
	"github.com/cdfoundation/portal/models"
)

// Pager leads through the pages of a list.
type Pager struct {
	Page, Pages  int
	Newer, Older string // paths; empty at the ends
	Back, On     string // what these two are called
}

// pageNumber is the page of a list that is asked for, from 1. What is not a page is not found.
func pageNumber(c *fiber.Ctx) (int, error) {
	asked := c.Query("page", "1")
	n, err := strconv.Atoi(asked)
	if err != nil || n < 1 || n > 1_000_000 || strconv.Itoa(n) != asked {
		return 0, fmt.Errorf("%w: page %q", models.ErrNotFound, asked)
	}
	return n, nil
}

// newPager is for a page of the list at path, which has total lines, size a page. A page beyond the end is not found;
// the first page is there even when the list is empty.
func newPager(path string, page, total, size int) (Pager, error) {
	p := Pager{Page: page, Pages: max(1, (total+size-1)/size), Back: "Newer", On: "Older"}
	if page > p.Pages {
		return p, fmt.Errorf("%w: page %d of %d", models.ErrNotFound, page, p.Pages)
	}
	if page > 1 {
		p.Newer = links.Numbered(path, page-1)
	}
	if page < p.Pages {
		p.Older = links.Numbered(path, page+1)
	}
	return p, nil
}
