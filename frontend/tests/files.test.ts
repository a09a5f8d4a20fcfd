import { describe, expect, it } from 'vitest'
import type { StepRow, TaskRow } from '@/api/types'
import { emptyRemote, emptyTransfer, transferBlocker, transferRequest } from '@/features/execution/files/transfer-plan'
import { fileRows } from '@/features/execution/live/progress'

const SUM = 'a'.repeat(64)
const file = (state: string, changes: object = {}) => ({ path: '/opt/app/a.bin', state, done: 500, size: 1_000, bytes_per_second: 100, seconds_left: 5, ...changes })
const task = (status: string, files: object[]) => ({ status, progress: { files, done: 500, size: 1_000 } }) as unknown as TaskRow
const step = { payload: { file: { sources: [{ name: 'a.bin', size: 1_000, sha256: SUM }, { name: 'b.bin', size: 7, sha256: 'b'.repeat(64) }] } } } as unknown as StepRow

describe('files of a task', () => {
  it('are told one by one, with speed and time left while they move', () => {
    const rows = fileRows(task('running', [file('running'), file('waiting', { path: '/opt/app/b.bin', done: 0, size: 7 })]), step, 'en')

    expect(rows.map((row) => [row.state, row.share, row.words, row.sha256])).toEqual([
      ['running', 0.5, '500 B / 1 kB · 100 B/s · −5.00 s', null],
      ['pending', 0, '7 B', null],
    ])
  })

  it('bear their checksum once they were compared with it, and never before', () => {
    expect(fileRows(task('success', [file('done', { done: 1_000 })]), step, 'en')[0]?.sha256).toBe(SUM)
    expect(fileRows(task('failed', [file('failed')]), step, 'en')[0]?.sha256).toBeNull()
    expect(fileRows(task('success', [file('skipped')]), step, 'en')[0]?.sha256).toBeNull()
  })

  it('end with their task, also when their last word was lost', () => {
    expect(fileRows(task('success', [file('running')]), step, 'en')[0]).toMatchObject({ state: 'success', share: 1 })
    expect(fileRows(task('cancelled', [file('running')]), step, 'en')[0]?.state).toBe('cancelled')
  })

  it('are none for a task that moves none, or tells nonsense', () => {
    expect(fileRows({ status: 'running', progress: null } as unknown as TaskRow, null, 'en')).toEqual([])
    expect(fileRows({ status: 'running', progress: { files: 'x' } } as unknown as TaskRow, null, 'en')).toEqual([])
  })
})

describe('a transfer', () => {
  const filled = () => {
    const draft = emptyTransfer()
    draft.push.path = '/opt/app/'
    draft.hosts.push({ id: 1, name: 'web-1', agent_status: 'online' })
    return draft
  }

  it('from another host fetches there first, then sends what came', () => {
    const draft = filled()
    draft.remotes.push({ key: 1, host: 9, path: '/srv/app/', excludes: '*.tmp, *.log' })
    draft.push.perHost = 5
    draft.runAs = 'deploy'

    const { steps, target_host_ids } = transferRequest(draft, 'send', 'Send')

    expect(transferBlocker(draft, 'send')).toBeNull()
    expect(target_host_ids).toEqual([1])
    expect(steps[0]).toMatchObject({ kind: 'collect', target_host_ids: [9], file: { paths: ['/srv/app/'], excludes: ['*.tmp', '*.log'], bandwidth_limit: 5 } })
    expect(steps[0]).not.toHaveProperty('run_as')
    expect(steps[1]).toMatchObject({ name: 'Send', kind: 'push', run_as: 'deploy', file: { sources: [{ step: steps[0]?.name }], remote_path: '/opt/app/' } })
  })

  it('says what a path on another host lacks', () => {
    const draft = filled()
    expect(transferBlocker(draft, 'send')).toBe('noFiles')
    draft.remotes.push(emptyRemote(1))
    expect(transferBlocker(draft, 'send')).toBe('noSourceHost')
    Object.assign(draft.remotes[0] as object, { host: 9 })
    expect(transferBlocker(draft, 'send')).toBe('noSourcePath')
    Object.assign(draft.remotes[0] as object, { path: 'srv' })
    expect(transferBlocker(draft, 'send')).toBe('relativePath')
  })

  it('takes modes of files and of new folders, and limits of what is fetched', () => {
    const draft = filled()
    draft.push.files.push({ id: 'f', name: 'a', size: 1 })
    Object.assign(draft.push, { mode: '0640', folderMode: '8' })
    expect(transferBlocker(draft, 'send')).toBe('badMode')
    draft.push.folderMode = '0750'
    expect(transferRequest(draft, 'send', 'Send').steps[0]?.file).toMatchObject({ mode: '0640', folder_mode: '0750' })

    Object.assign(draft.collect, { paths: '/var/log/*', maxFiles: 5, maxMegabytes: 1.5, together: 2 })
    expect(transferRequest(draft, 'collect', 'Fetch').steps[0]?.file).toEqual({ paths: ['/var/log/*'], max_files: 5, max_bytes: 1_500_000, total_bandwidth_limit: 2 })
  })
})
