// The tasks of one execution as the page knows them; fed from pages and from the live stream in any order.
import { isTaskBad, isTaskOpen, TASK_STATUSES, type TaskRow } from '@/api/types'

const PROGRESS: Record<string, number> = { pending: -1, queued: 0, offered: 1, claimed: 2, running: 3 }
const TERMINAL = 9

const rank = (task: TaskRow): number => task.attempt * 10 + (PROGRESS[task.status] ?? TERMINAL)

export class TaskBoard {
  private readonly byId = new Map<string, TaskRow>()
  private ordered: TaskRow[] = []
  private stale = false

  /** Takes rows in; one that is older than what is known (a page that was slow) changes nothing. */
  put(rows: readonly TaskRow[]): void {
    for (const row of rows) {
      const known = this.byId.get(row.id)
      if (known && rank(known) > rank(row)) continue
      this.byId.set(row.id, row)
      this.stale = true
    }
  }

  get size(): number {
    return this.byId.size
  }

  /** In the order they were planned: a Map keeps the place of a key when its value changes. */
  tasks(): readonly TaskRow[] {
    if (this.stale) {
      this.ordered = [...this.byId.values()]
      this.stale = false
    }
    return this.ordered
  }

  /** Of one step where it is told which, else of the first that has the host. */
  ofHost(hostId: number, stepId: string | null = null): TaskRow | undefined {
    return this.tasks().find((task) => task.host_id === hostId && (stepId === null || task.step_id === stepId))
  }

  filtered(status: string | null, search: string, stepId: string | null = null): readonly TaskRow[] {
    if (status === null && search === '' && stepId === null) return this.tasks()
    const wanted = search.toLowerCase()
    return this.tasks().filter(
      (task) =>
        (stepId === null || task.step_id === stepId) &&
        (status === null || task.status === status) &&
        (wanted === '' || task.host_name.toLowerCase().includes(wanted) || task.ip_address.includes(wanted)),
    )
  }

  /** The task to look at first: a failure before what only ran out of time or never began. */
  firstBad(stepId: string | null = null): TaskRow | undefined {
    const among = this.filtered(null, '', stepId)
    const worst = TASK_STATUSES.find((status) => isTaskBad(status) && among.some((task) => task.status === status))
    return among.find((task) => task.status === worst)
  }

  /** Hosts on which something waits or runs. */
  openHosts(): number {
    return new Set(this.tasks().filter((task) => isTaskOpen(task.status)).map((task) => task.host_id)).size
  }

  counts(stepId: string | null = null): Record<string, number> {
    const counts: Record<string, number> = {}
    for (const task of this.filtered(null, '', stepId)) counts[task.status] = (counts[task.status] ?? 0) + 1
    return counts
  }
}
