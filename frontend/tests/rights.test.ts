import { describe, expect, it } from 'vitest'
import { exportUrl } from '@/api/audit'
import { dayStart, queryOf } from '@/features/auth/audit/filters'
import { bodyOf, emptyPart, partLacks } from '@/features/auth/grants/draft'
import { byArea } from '@/features/auth/roles/areas'

describe('a grant that is filled in', () => {
  const part = emptyPart('UTC')

  it('says what is missing first', () => {
    expect(partLacks({ ...part, actions: [] })).toBe('actions')
    expect(partLacks(part)).toBe('objects')
    expect(partLacks({ ...part, all: true })).toBeNull()
    expect(partLacks({ ...part, all: true, actions: ['execute'], accounts: [] })).toBe('accounts')
    expect(partLacks({ ...part, all: true, hours: true, until: part.start })).toBe('hours')
  })

  it('carries what and accounts only for running on hosts', () => {
    expect(bodyOf({ ...part, all: true })).toMatchObject({ object_ids: ['*'], what: [], accounts: [], windows: null })
    expect(bodyOf({ ...part, ids: ['5'], actions: ['execute'] })).toMatchObject({ object_ids: ['5'], what: ['adhoc'], accounts: ['@agent'] })
    expect(bodyOf({ ...part, ids: ['5'], actions: ['execute'], object_type: 'plan' })).toMatchObject({ what: [], accounts: [] })
  })

  it('keeps the days of its hours in order', () => {
    expect(bodyOf({ ...part, all: true, hours: true, days: [5, 1] }).windows).toEqual([{ days: [1, 5], start: '08:00', until: '18:00', zone: 'UTC' }])
  })
})

describe('filters of the audit log', () => {
  const none = { search: '', user: 0, area: null, action: '', outcome: null, kind: '', object: '', address: '', from: '', to: '' }

  it('ask for nothing that was not chosen', () => {
    expect(Object.values(queryOf(none)).filter((one) => one !== undefined)).toEqual([])
  })

  it('narrow to an area, and rather to one action of it', () => {
    expect(queryOf({ ...none, area: 'user' }).action).toBe('user.')
    expect(queryOf({ ...none, area: 'user', action: 'user.create' }).action).toBe('user.create')
    expect(queryOf({ ...none, outcome: 'refused' }).success).toBe(false)
  })

  it('include the whole last day', () => {
    const day = new Date(dayStart('2026-05-02') as string)
    expect(new Date(queryOf({ ...none, to: '2026-05-02' }).end_date as string).getTime() - day.getTime()).toBe(86_400_000)
    expect(dayStart('2026-99-99')).toBeUndefined()
  })

  it('go into the address of an export', () => {
    expect(exportUrl({ search: 'a b', success: false, user_id: undefined }, 'xlsx')).toBe('/api/permissions/audit-logs/export/?search=a+b&success=false&format=xlsx')
  })
})

describe('the catalogue of permissions', () => {
  it('is shown by area in the reader’s language', () => {
    const catalogue = [{ name: 'hosts:read', description: 'See', description_zh: '查看' }, { name: 'audit:read', description: 'Read', description_zh: '阅读' }, { name: 'hosts:write', description: 'Change', description_zh: '修改' }]

    expect(byArea(catalogue, true).map((area) => [area.area, area.items.map((one) => one.text)])).toEqual([['hosts', ['查看', '修改']], ['audit', ['阅读']]])
  })
})
