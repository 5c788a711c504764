import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { type Browser, type BrowserContextOptions, chromium, type Locator, type Page } from 'playwright-core'
import { expect } from 'vitest'

const CHROMIUM = process.env['CHROMIUM'] ?? '/usr/bin/chromium'
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
/** What a busy machine is given. */
export const PATIENCE_MS = 30_000
export const PHONE = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true, deviceScaleFactor: 2 }

export function launch(): Promise<Browser> {
  return chromium.launch({ executablePath: CHROMIUM, chromiumSandbox: process.getuid?.() !== 0 })
}

/** A page in a context of its own. Errors on its console, exceptions and breaches of its policy go to `faults`. */
export async function openPage(
  browser: Browser,
  url: string,
  faults: string[],
  options: BrowserContextOptions = {},
): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options })
  const page = await context.newPage()
  page.setDefaultTimeout(PATIENCE_MS)
  page.on('console', (message) => message.type() === 'error' && faults.push(message.text()))
  page.on('pageerror', (error) => faults.push(String(error)))
  await page.addInitScript(
    "addEventListener('securitypolicyviolation', (event) => console.error('policy', event.violatedDirective, event.blockedURI))",
  )
  await page.goto(url)
  return page
}

/** A node of the picture, by the beginning of its label; all without one. */
export function node(page: Page, label = ''): Locator {
  return page.locator('figure').getByRole('button', { name: new RegExp(`^${label}`) })
}

export async function expectCount(locator: Locator, count: number): Promise<void> {
  await expect.poll(() => locator.count(), { timeout: PATIENCE_MS, message: String(locator) }).toBe(count)
}

export async function expectText(locator: Locator, text: RegExp): Promise<void> {
  const read = async (): Promise<string> => ((await locator.textContent()) ?? '').replaceAll(/\s+/g, ' ')
  await expect.poll(read, { timeout: PATIENCE_MS }).toMatch(text)
}

export function focusedName(page: Page): Promise<string> {
  return page.evaluate<string>(
    "(({ ariaLabel, name, textContent }) => ariaLabel || name || textContent || '')(document.activeElement)",
  )
}

export async function pressUntilFocused(page: Page, key: string, name: string): Promise<void> {
  for (let pressed = 0; pressed < 60; pressed++) {
    if ((await focusedName(page)).startsWith(name)) return
    await page.keyboard.press(key)
  }
  throw new Error(`${key} does not lead to ${name}`)
}

/** Serious and critical findings of axe-core, in words. */
export async function violations(page: Page): Promise<string[]> {
  await page.evaluate(AXE)
  return page.evaluate<string[]>(`axe.run().then(({ violations }) => violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => id + ': ' + html + ' ' + failureSummary)))`)
}

/** The width of the page's content, and of its window. */
export function widths(page: Page): Promise<[number, number]> {
  return page.evaluate<[number, number]>('[document.documentElement.scrollWidth, innerWidth]')
}
