// Hosts and groups as the host picker asks for them.
import { api, call } from './client'
import { asApiError } from './errors'
import type { AgentStatus, HostRow } from './types'

const MOST_GROUPS = 200
const MOST_BY_ID = 100

export interface HostQuery {
  search: string
  status: AgentStatus | null
  group: number | null
}

function page(filter: HostQuery, number: number, size: number, signal?: AbortSignal) {
  const query = {
    page: number, page_size: size, search: filter.search || undefined, agent_status: filter.status ?? undefined, group_id: filter.group ?? undefined,
  }
  return call(api.GET('/api/hosts/', { signal, params: { query } }))
}

async function groups(signal: AbortSignal) {
  const answer = await call(api.GET('/api/hosts/groups/', { signal, params: { query: { page: 1, page_size: MOST_GROUPS } } }))
  return answer.results
}

/** Where agents connect, for the line that enrols one. */
export function gatewayPlace() {
  return call(api.GET('/api/agents/enrolment_tokens/gateway/'))
}

export const hostSource = { page, groups, gateway: gatewayPlace, problemOf: asApiError }

/** Hosts named by id (a link, an earlier run) as they are now; the ones that are gone are left out. */
export async function hostsById(ids: readonly number[]): Promise<HostRow[]> {
  const wanted = [...new Set(ids)].slice(0, MOST_BY_ID)
  const found = await Promise.allSettled(wanted.map((id) => call(api.GET('/api/hosts/{host_id}/', { params: { path: { host_id: id } } }))))
  return found.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
}
