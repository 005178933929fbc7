//go:build !short

package e2e

import (
	"context"
	"os"
	"path/filepath"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// shot writes a picture of the page into the folder that SCREENSHOTS names, where it names one.
func (tab *browserTab) shot(name string) {
	tab.t.Helper()
	folder := os.Getenv("SCREENSHOTS")
	if folder == "" {
		return
	}
	ctx, cancel := context.WithTimeout(tab.ctx, browserPatience)
	defer cancel()
	picture, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err != nil {
		tab.t.Fatalf("take the picture %s: %v", name, err)
	}
	if err := os.WriteFile(filepath.Join(folder, name+".png"), picture, 0o644); err != nil {
		tab.t.Fatalf("write the picture: %v", err)
	}
}

// scheme has the page believe that the system is light or dark.
func (tab *browserTab) scheme(value string) {
	tab.t.Helper()
	tab.do(chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: value}},
		})
		return err
	}))
}

// looks takes pictures of the page, light and dark, wide and as a phone has it, and fails the test where something is hard
// to read, too small to touch, or wider than the window.
func (tab *browserTab) looks(name string, height int64) {
	tab.t.Helper()
	for _, look := range []struct {
		name, scheme string
		width        int64
	}{
		{name + "-light", "light", 1180}, {name + "-dark", "dark", 1180}, {name + "-360", "light", 360},
		{name + "-360-dark", "dark", 360},
	} {
		tab.scheme(look.scheme)
		tab.do(chromedp.EmulateViewport(look.width, height))
		for _, poor := range browserGet[[]string](tab, browserContrast) {
			tab.t.Errorf("%s: contrast below 4.5: %s", look.name, poor)
		}
		for _, small := range browserGet[[]string](tab, browserSmall) {
			tab.t.Errorf("%s: smaller than 44 pixels: %s", look.name, small)
		}
		if browserGet[bool](tab, "document.documentElement.scrollWidth > innerWidth") {
			tab.t.Errorf("%s: the page is wider than its window", look.name)
		}
		tab.shot(look.name)
	}
}

// browserContrast returns the texts of the page whose contrast with what is behind them is below 4.5 (WCAG 2.2, 1.4.3).
const browserContrast = `(() => {
	const rgb = (color) => color.match(/[\d.]+/g).map(Number);
	const light = ([r, g, b]) => [r, g, b]
		.map((c) => c / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
		.reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
	const behind = (e) => {
		for (; e; e = e.parentElement) {
			const color = rgb(getComputedStyle(e).backgroundColor);
			if (color.length < 4 || color[3] === 1) return color;
		}
		return [255, 255, 255];
	};
	const poor = [];
	for (const e of document.querySelectorAll('body *')) {
		const text = [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
		if (!e.offsetHeight || (!text && !e.placeholder) || e.closest('.sr, .skip, noscript')) continue;
		for (const style of [getComputedStyle(e), ...(e.placeholder ? [getComputedStyle(e, '::placeholder')] : [])]) {
			const [a, b] = [light(rgb(style.color)), light(behind(e))];
			const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
			if (ratio < 4.5) poor.push(e.tagName + '.' + e.className + ' ' + ratio.toFixed(2) + ' ' + e.textContent.slice(0, 40));
		}
	}
	return poor;
})()`

// browserSmall returns what one can press and is smaller than 44 pixels; links within a text are exempt.
const browserSmall = `[...document.querySelectorAll('button, input:not([type=radio]), textarea, #show label, a:not(.text a)')]
	.filter((e) => e.offsetHeight && (e.offsetHeight < 44 || e.offsetWidth < 44))
	.map((e) => e.outerHTML.slice(0, 80) + ' ' + e.offsetWidth + '×' + e.offsetHeight)`
