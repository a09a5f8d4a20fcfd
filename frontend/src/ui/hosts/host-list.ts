// Hosts to pick from: searched by the server, read page by page as the list is scrolled. Where they come from is given.
import { onBeforeUnmount, type Ref, ref, shallowRef, watch } from 'vue'
import type { GatewayPlace } from '../enrol-line'
import type { Problem } from '../problem'

const PAGE = 100
const LARGEST_PAGE = 200
export const MOST_AT_ONCE = 5_000

export type HostState = 'online' | 'offline' | 'disabled' | 'quarantined' | 'none'
export const HOST_STATES: readonly HostState[] = ['online', 'offline', 'disabled', 'quarantined', 'none']

export interface PickedHost {
  id: number
  name: string
  agent_status: HostState
}

export interface PickedGroup {
  id: number
  name: string
  host_count: number
}

export interface HostChoice extends PickedHost {
  ip_address: string
}

export interface HostFilter {
  search: string
  status: HostState | null
  group: number | null
}

export interface HostPage {
  total: number
  results: HostChoice[]
}

/** What the picker needs of the server. */
export interface HostSource {
  page: (filter: HostFilter, page: number, size: number, signal?: AbortSignal) => Promise<HostPage>
  groups: (signal: AbortSignal) => Promise<PickedGroup[]>
  /** Where agents connect, for who has no hosts yet. */
  gateway: () => Promise<GatewayPlace>
  problemOf: (thrown: unknown) => Problem
}

export function useHostList(filter: HostFilter, source: HostSource) {
  const rows = shallowRef<HostChoice[]>([])
  const total = ref(0)
  const loading = ref(false)
  const problem: Ref<Problem | null> = shallowRef(null)
  let pages = 0
  let current: AbortController | null = null

  async function next(): Promise<void> {
    if (loading.value || (pages > 0 && rows.value.length >= total.value)) return
    const mine = new AbortController()
    current = mine
    loading.value = true
    try {
      const answer = await source.page(filter, pages + 1, PAGE, mine.signal)
      if (current !== mine) return
      pages += 1
      rows.value = pages === 1 ? answer.results : [...rows.value, ...answer.results]
      total.value = answer.total
      problem.value = null
    } catch (thrown) {
      if (current === mine) problem.value = source.problemOf(thrown)
    } finally {
      if (current === mine) loading.value = false
    }
  }

  function restart(): void {
    current?.abort()
    loading.value = false
    pages = 0
    void next()
  }

  /** Every host that matches, up to a limit that protects the page. */
  async function all(): Promise<HostChoice[]> {
    const found: HostChoice[] = []
    for (let page = 1; found.length < MOST_AT_ONCE; page += 1) {
      const answer = await source.page(filter, page, LARGEST_PAGE)
      found.push(...answer.results)
      if (answer.results.length < LARGEST_PAGE || found.length >= answer.total) break
    }
    return found.slice(0, MOST_AT_ONCE)
  }

  watch(filter, restart, { immediate: true })
  onBeforeUnmount(() => current?.abort())
  return { rows, total, loading, problem, next, restart, all }
}
