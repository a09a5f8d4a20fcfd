// The shapes of live events; the OpenAPI document cannot describe streams, so they are written here.
import type { ExecutionStatus, TaskRow } from './types'

interface Origin {
  host: string
  host_id: number
  task_id: string
  attempt: number
  stream: 'stdout' | 'stderr'
  seq: number
  offset: number
}

export interface LogData extends Origin {
  text: string
}

/** Without an origin the gap is in the stored log as a whole. */
export interface GapData extends Partial<Origin> {
  length: number
  reason: string
}

export interface StatusData {
  execution: {
    id: string
    status: ExecutionStatus
    version: number
    counts: Record<string, number>
    task_total: number
    cancel_requested_at: string | null
    started_at: string | null
    finished_at: string | null
  }
  tasks: TaskRow[]
}

export function combinedStreamUrl(executionId: string): string {
  return `/api/realtime/sse/combined/${encodeURIComponent(executionId)}/`
}
