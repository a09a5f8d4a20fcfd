// One execution as it is watched: its row, its tasks, all output. Plain data; `onChange` tells that something moved.
import type { GapData, LogData, StatusData } from '@/api/realtime'
import type { ServerEvent } from '@/api/sse-parser'
import type { ExecutionDetail } from '@/api/types'
import { limitsFor, OutputBuffer } from '@/ui/output/output-buffer'
import { TaskBoard } from './task-board'

const NO_HOST = 0

export type GapWords = (bytes: number, reason: string) => string

export class RunView {
  readonly board = new TaskBoard()
  output: OutputBuffer
  execution: ExecutionDetail
  /** Output has been received up to its end. */
  complete = false
  private readonly gaps = new Map<number, number>()

  constructor(
    detail: ExecutionDetail,
    private readonly gapWords: GapWords,
    private readonly onChange: () => void,
  ) {
    this.execution = detail
    this.output = new OutputBuffer(limitsFor(detail.task_total))
    this.refresh(detail)
  }

  /** A newer detail from the server, for what events do not carry (names, durations, sizes). */
  refresh(detail: ExecutionDetail): void {
    if (detail.version >= this.execution.version) this.execution = detail
    for (const step of detail.steps) this.board.put(step.tasks)
    this.onChange()
  }

  take(events: readonly ServerEvent[]): void {
    for (const event of events) {
      if (event.event === 'log') this.log(JSON.parse(event.data) as LogData)
      else if (event.event === 'status') this.status(JSON.parse(event.data) as StatusData)
      else if (event.event === 'gap') this.gap(JSON.parse(event.data) as GapData)
      else if (event.event === 'reset') this.reset()
      else if (event.event === 'end') this.end()
    }
    this.onChange()
  }

  /** Something follows something: steps, batches, or work that is no script. */
  get hasSteps(): boolean {
    return this.execution.steps.length > 1 || this.execution.steps.some((one) => one.kind !== 'script' || one.batch_total > 1)
  }

  /** Bytes that are known to be missing: of one host, or of all. */
  missing(hostId: number | null): number {
    if (hostId !== null) return this.gaps.get(hostId) ?? 0
    return [...this.gaps.values()].reduce((sum, one) => sum + one, 0)
  }

  counts(stepId: string | null = null): Record<string, number> {
    const known = this.board.size >= this.execution.task_total
    if (known) return this.board.counts(stepId)
    const step = this.execution.steps.find((one) => one.id === stepId)
    return step ? step.counts : this.execution.counts
  }

  private log(data: LogData): void {
    if (this.output.isNew(`${data.task_id}/${data.attempt}/${data.stream}`, data.offset)) this.output.append(data.host_id, data.stream, data.text)
  }

  private gap(data: GapData): void {
    const { task_id: task, attempt, stream = 'stdout', offset = 0, host_id: host = NO_HOST } = data
    if (!this.output.isNew(`${task}/${attempt}/${stream}`, offset)) return
    this.gaps.set(host, (this.gaps.get(host) ?? 0) + data.length)
    this.output.gap(host, stream, this.gapWords(data.length, data.reason))
  }

  /** The server does not know the place we asked for and tells everything from the start. */
  private reset(): void {
    this.output = new OutputBuffer(limitsFor(this.execution.task_total))
    this.gaps.clear()
  }

  private status(data: StatusData): void {
    if (data.execution.version >= this.execution.version) this.execution = { ...this.execution, ...data.execution }
    this.board.put(data.tasks)
  }

  private end(): void {
    this.complete = true
    this.output.finish()
  }
}
