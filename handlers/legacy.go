package handlers

// legacyPath reports whether an address is one of the old blog's, which redirects in one hop with its trailing slash.
func legacyPath(string) bool { return false }
