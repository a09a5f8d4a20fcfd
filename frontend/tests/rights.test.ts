import { describe, expect, it } from 'vitest'
import { exportUrl } from '@/api/audit'
import { dayStart, queryOf } from '@/features/auth/audit/filters'
import { bodyOf, draftOf, emptyPart, partLacks } from '@/features/auth/grants/draft'
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

describe('a grant of a template that is changed', () => {
  it('comes back as it was when nothing is touched', () => {
    const hours = (day: number) => ({ days: [day], start: '22:00', until: '06:00', zone: 'Asia/Shanghai' })
    const parts = [
      { actions: ['execute' as const], object_type: 'host' as const, object_ids: ['5', '7'], what: ['*'], accounts: ['postgres'], windows: [hours(1), hours(6)] },
      { actions: ['view' as const], object_type: 'plan' as const, object_ids: ['*'], what: [], accounts: [], windows: null },
    ]

    expect(parts.map((part) => bodyOf(draftOf(part, 'UTC')))).toEqual(parts)
  })

  it('offers the usual choices where it begins to run something', () => {
    const part = { actions: ['view' as const], object_type: 'host' as const, object_ids: ['5'], what: [], accounts: [], windows: null }

    expect(draftOf(part, 'UTC')).toMatchObject({ what: ['adhoc'], accounts: ['@agent'], zone: 'UTC' })
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
