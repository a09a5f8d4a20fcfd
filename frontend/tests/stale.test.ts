import { describe, expect, it } from 'vitest'
import { createMemoryHistory, createRouter } from 'vue-router'
import { reloadWhenStale } from '@/app/stale'

function opened(message: string) {
  const kept = new Map<string, string>()
  const gone: string[] = []
  let now = 1_000_000
  const router = createRouter({
    history: createMemoryHistory(),
    routes: [{ path: '/', component: {} }, { path: '/hosts', component: () => Promise.reject(new TypeError(message)) }],
  })
  reloadWhenStale(router, { now: () => now, storage: { getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => void kept.set(key, value) }, go: (path) => gone.push(path) })
  return { gone, open: () => router.push('/hosts?search=a').catch(() => undefined), later: (milliseconds: number) => (now += milliseconds) }
}

describe('a page whose pieces are gone after an update', () => {
  it.each(['Failed to fetch dynamically imported module: /assets/x.js', 'Importing a module script failed.', 'Unable to preload CSS for /assets/x.css'])('is loaded anew, where one wanted to go: %s', async (message) => {
    const page = opened(message)
    await page.open()

    expect(page.gone).toEqual(['/hosts?search=a'])
  })

  it('is not loaded over and over when that does not help', async () => {
    const page = opened('Importing a module script failed.')
    await page.open()
    await page.open()
    expect(page.gone).toHaveLength(1)
    page.later(31_000)
    await page.open()

    expect(page.gone).toHaveLength(2)
  })

  it('stays when something else went wrong', async () => {
    const page = opened('x is not a function')
    await page.open()

    expect(page.gone).toEqual([])
  })
})
