// The shapes of live events; the OpenAPI document cannot describe streams, so they are written here.
import type { ExecutionStatus, TaskRow } from './types'

export interface LogData {
  host: string
  host_id: number
  task_id: string
  stream: 'stdout' | 'stderr'
  seq: number
  offset: number
  text: string
}

export interface GapData {
  host: string
  host_id: number
  task_id: string
  stream: 'stdout' | 'stderr'
  offset: number
  length: number
  reason: string
}

export interface StatusData {
  execution: {
    id: string
    status: ExecutionStatus
    version: number
    counts: Record<string, number>
    started_at: string | null
    finished_at: string | null
  }
  tasks: TaskRow[]
}

export function combinedStreamUrl(executionId: string): string {
  return `/api/realtime/sse/combined/${encodeURIComponent(executionId)}/`
}
