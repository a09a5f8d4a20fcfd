import { describe, expect, it } from 'vitest'
import type { ServerEvent } from '@/api/sse-parser'
import type { ExecutionDetail, TaskRow, TaskStatus } from '@/api/types'
import { RunView } from '@/features/execution/live/run-view'
import { TaskBoard } from '@/features/execution/live/task-board'

const task = (id: number, status: TaskStatus, changes: Partial<TaskRow> = {}): TaskRow =>
  ({ id: `t${id}`, host_id: id, host_name: `web-${id}`, ip_address: `10.0.0.${id}`, status, attempt: 1, ...changes }) as TaskRow

const detail = (tasks: TaskRow[]): ExecutionDetail =>
  ({ id: 'e1', status: 'running', version: 1, counts: {}, task_total: tasks.length, tasks_total: tasks.length, steps: [{ tasks }] }) as unknown as ExecutionDetail

const event = (name: string, data: unknown): ServerEvent => ({ event: name, data: JSON.stringify(data), id: '1-1' })
const log = (host: number, offset: number, text: string): ServerEvent =>
  event('log', { host_id: host, task_id: `t${host}`, attempt: 1, stream: 'stdout', seq: 0, offset, text })

function viewOf(tasks: TaskRow[]): RunView {
  return new RunView(detail(tasks), (bytes, reason) => `${bytes} ${reason}`, () => undefined)
}

describe('the board of tasks', () => {
  it('never goes back to an earlier state', () => {
    const board = new TaskBoard()
    board.put([task(1, 'success')])

    board.put([task(1, 'running')])

    expect(board.ofHost(1)?.status).toBe('success')
  })

  it('takes a new attempt for newer', () => {
    const board = new TaskBoard()
    board.put([task(1, 'failed')])

    board.put([task(1, 'running', { attempt: 2 })])

    expect(board.ofHost(1)?.status).toBe('running')
  })

  it('keeps the planned order and looks at real failures first', () => {
    const board = new TaskBoard()
    board.put([task(1, 'running'), task(2, 'expired'), task(3, 'failed')])

    board.put([task(1, 'success')])

    expect(board.tasks().map((one) => one.host_id)).toEqual([1, 2, 3])
    expect(board.firstBad()?.host_id).toBe(3)
  })

  it('filters by state and by name or address', () => {
    const board = new TaskBoard()
    board.put([task(1, 'running'), task(2, 'failed'), task(12, 'failed')])

    expect(board.filtered('failed', '').length).toBe(2)
    expect(board.filtered(null, 'WEB-1').map((one) => one.host_id)).toEqual([1, 12])
    expect(board.filtered('failed', '0.12').map((one) => one.host_id)).toEqual([12])
  })
})

describe('a run that is watched', () => {
  it('puts output, states and the end together', () => {
    const view = viewOf([task(1, 'running'), task(2, 'running')])

    view.take([
      log(1, 0, 'hello\n'), log(1, 0, 'hello\n'), log(2, 0, 'wor'),
      event('status', { execution: { id: 'e1', status: 'success', version: 5, counts: { success: 2 } }, tasks: [task(1, 'success'), task(2, 'success')] }),
      event('end', { status: 'success' }),
    ])

    expect(view.execution.status).toBe('success')
    expect([view.complete, view.counts()]).toEqual([true, { success: 2 }])
    expect([...view.output.merged.lines()].map((line) => [line.text, line.closed])).toEqual([['hello', true], ['wor', true]])
  })

  it('ignores a state that is older than the known one', () => {
    const view = viewOf([task(1, 'running')])
    view.take([event('status', { execution: { status: 'success', version: 5 }, tasks: [] })])

    view.take([event('status', { execution: { status: 'running', version: 3 }, tasks: [] })])

    expect(view.execution.status).toBe('success')
  })

  it('adds up what is missing', () => {
    const view = viewOf([task(1, 'running'), task(2, 'running')])

    view.take([
      event('gap', { host_id: 1, task_id: 't1', attempt: 1, stream: 'stdout', offset: 0, length: 40, reason: 'x' }),
      event('gap', { length: 2, reason: 'log_damaged' }),
    ])

    expect([view.missing(1), view.missing(2), view.missing(null)]).toEqual([40, 0, 42])
  })

  it('begins again when the server does not know the place', () => {
    const view = viewOf([task(1, 'running')])
    view.take([log(1, 0, 'old\n')])

    view.take([event('reset', { reason: 'position_unknown' }), log(1, 0, 'all\n')])

    expect([...view.output.of(1).lines()].map((line) => line.text)).toEqual(['all'])
  })
})
