// After an update of the platform the pieces that an open page would still load are gone: the new page is loaded instead.
import type { Router } from 'vue-router'

const GONE = /dynamically imported module|importing a module script failed|preload css/i
const KEY = 'opsjob.reloaded'
/** A page that fails again so soon is really broken; loading it over and over helps nobody. */
const AGAIN_MILLISECONDS = 30_000

export interface Place {
  now: () => number
  storage: Pick<Storage, 'getItem' | 'setItem'>
  go: (path: string) => void
}

const browser: Place = { now: () => Date.now(), storage: globalThis.sessionStorage, go: (path) => window.location.assign(path) }

export function reloadWhenStale(router: Router, place: Place = browser): void {
  router.onError((thrown, to) => {
    const said = thrown instanceof Error ? thrown.message : String(thrown)
    const last = Number(place.storage.getItem(KEY) ?? 0)
    if (!GONE.test(said) || place.now() - last < AGAIN_MILLISECONDS) return
    place.storage.setItem(KEY, String(place.now()))
    place.go(to.fullPath)
  })
}
