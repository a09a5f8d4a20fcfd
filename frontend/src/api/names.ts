// Names of objects that pages know by id alone: asked for once each, a few at a time, known to every page then.
import { shallowReactive } from 'vue'

export interface Finder {
  byId: (id: number) => Promise<{ name: string }>
}

export interface Names {
  /** Undefined until the server has told it, which reading it asks for; `#7` for what has no name, or none for us. */
  nameOf: (kind: string, id: string) => string | undefined
  /** Names are for who asked for them; the next person at this screen asks again. */
  forget: () => void
}

const AT_ONCE = 4

export function namesFrom(finders: Partial<Record<string, Finder>>): Names {
  const names = shallowReactive(new Map<string, string>())
  const asked = new Set<string>()
  let waiting: (() => Promise<void>)[] = []
  let busy = 0
  let reader = 0

  function work(): void {
    while (busy < AT_ONCE && waiting.length > 0) {
      busy += 1
      void waiting.shift()?.().finally(() => {
        busy -= 1
        work()
      })
    }
  }

  async function ask(finder: Finder, key: string, id: number): Promise<void> {
    const mine = reader
    const found = await finder.byId(id).catch(() => null)
    if (mine === reader) names.set(key, found?.name ?? `#${id}`)
  }

  function nameOf(kind: string, id: string): string | undefined {
    const key = `${kind}/${id}`
    const finder = finders[kind]
    if (!finder) return `#${id}`
    if (!asked.has(key)) {
      asked.add(key)
      waiting.push(() => ask(finder, key, Number(id)))
      queueMicrotask(work)
    }
    return names.get(key)
  }

  function forget(): void {
    reader += 1
    waiting = []
    names.clear()
    asked.clear()
  }

  return { nameOf, forget }
}
