// Hosts to pick from: searched by the server, read page by page as the list is scrolled.
import { onBeforeUnmount, ref, shallowRef, watch } from 'vue'
import { api, call } from '@/api/client'
import { type ApiError, asApiError } from '@/api/errors'
import type { AgentStatus, HostRow } from '@/api/types'

const PAGE = 100
const LARGEST_PAGE = 200
export const MOST_AT_ONCE = 5_000

export interface HostFilter {
  search: string
  status: AgentStatus | null
  group: number | null
}

function pageOf(filter: HostFilter, page: number, size: number, signal?: AbortSignal) {
  const query = {
    page, page_size: size, search: filter.search || undefined, agent_status: filter.status ?? undefined, group_id: filter.group ?? undefined,
  }
  return call(api.GET('/api/hosts/', { signal, params: { query } }))
}

export function useHostList(filter: HostFilter) {
  const rows = shallowRef<HostRow[]>([])
  const total = ref(0)
  const loading = ref(false)
  const problem = shallowRef<ApiError | null>(null)
  let pages = 0
  let current: AbortController | null = null

  async function next(): Promise<void> {
    if (loading.value || (pages > 0 && rows.value.length >= total.value)) return
    const mine = new AbortController()
    current = mine
    loading.value = true
    try {
      const answer = await pageOf(filter, pages + 1, PAGE, mine.signal)
      if (current !== mine) return
      pages += 1
      rows.value = pages === 1 ? answer.results : [...rows.value, ...answer.results]
      total.value = answer.total
      problem.value = null
    } catch (thrown) {
      if (current === mine) problem.value = asApiError(thrown)
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
  async function all(): Promise<HostRow[]> {
    const found: HostRow[] = []
    for (let page = 1; found.length < MOST_AT_ONCE; page += 1) {
      const answer = await pageOf(filter, page, LARGEST_PAGE)
      found.push(...answer.results)
      if (answer.results.length < LARGEST_PAGE || found.length >= answer.total) break
    }
    return found.slice(0, MOST_AT_ONCE)
  }

  watch(filter, restart, { immediate: true })
  onBeforeUnmount(() => current?.abort())
  return { rows, total, loading, problem, next, restart, all }
}
