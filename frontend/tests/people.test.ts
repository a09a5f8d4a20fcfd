import { describe, expect, it, vi } from 'vitest'
import { ApiError } from '@/api/errors'
import { reaches } from '@/api/rights'
import { needsSomebody, plainCode, secondsLeft, turnAfter } from '@/features/auth/login/steps'
import { byGrantsAlone, everythingOf, expiryAfter, scopesFor } from '@/features/auth/profile/token-draft'
import { deedsOn, standingOf } from '@/features/auth/users/deeds'
import { useAction } from '@/ui/action'

const refused = (code: string, details: Record<string, unknown> = {}) => new ApiError({ status: 401, code, message: '', details })

describe('a login', () => {
  const start = { step: 'password', captcha: false } as const

  it('asks for a code without calling that a failure', () => {
    expect(turnAfter(refused('otp_required'), start)).toEqual({ step: 'code', captcha: false, isQuestion: true, enrolmentToken: '' })
  })

  it('stays at the code when the code was wrong, and says so', () => {
    expect(turnAfter(refused('otp_refused'), { step: 'code', captcha: false })).toMatchObject({ step: 'code', isQuestion: false })
  })

  it('leads to a second factor that has to be set up first', () => {
    expect(turnAfter(refused('otp_enrolment_required', { enrolment_token: 'abc' }), start)).toMatchObject({ step: 'enrol', enrolmentToken: 'abc' })
  })

  it('shows a picture from then on, wherever one stands', () => {
    expect(turnAfter(refused('captcha_required'), { step: 'code', captcha: false })).toMatchObject({ step: 'code', captcha: true, isQuestion: false })
    expect(turnAfter(refused('invalid_credentials'), { step: 'password', captcha: true })).toMatchObject({ step: 'password', captcha: true })
  })

  it('sends to somebody else where another try cannot help', () => {
    expect(turnAfter(refused('second_factor_stopped'), { step: 'code', captcha: false })).toMatchObject({ step: 'password', isQuestion: false })
    expect([needsSomebody(refused('second_factor_stopped')), needsSomebody(refused('otp_refused'))]).toEqual([true, false])
  })

  it('counts down to the next try, in whole seconds', () => {
    expect([secondsLeft(30, 1_000, 1_000), secondsLeft(30, 1_000, 11_400), secondsLeft(30, 1_000, 90_000), secondsLeft(null, 0, 0)]).toEqual([30, 20, 0, 0])
  })

  it('takes a code as people type it', () => {
    expect(plainCode(' 123 456 ')).toBe('123456')
  })
})

describe('a user in the list', () => {
  const user = { id: 7, is_active: true, deleted_at: null }

  it('can be disabled or enabled, never both', () => {
    expect(deedsOn(user, 1)).toContain('disable')
    expect(deedsOn({ ...user, is_active: false }, 1)).toContain('enable')
    expect(deedsOn({ ...user, is_active: false }, 1)).not.toContain('disable')
  })

  it('who looks at it is only changed, and nothing is done to one that is gone', () => {
    expect(deedsOn(user, 7)).toEqual(['edit'])
    expect(deedsOn({ ...user, deleted_at: '2026-01-01T00:00:00Z' }, 1)).toEqual([])
    expect(standingOf({ ...user, deleted_at: '2026-01-01T00:00:00Z' })).toBe('deleted')
  })
})

describe('a token', () => {
  it('may be given what its owner holds', () => {
    const catalogue = ['a:read', 'b:read', 'c:run']
    const held = (...permissions: string[]) => ({ permissions, granted_permissions: [] })

    expect(scopesFor(held('*'), true, catalogue)).toEqual(catalogue)
    expect(scopesFor(held('b:read', 'x:old'), true, catalogue)).toEqual(['b:read'])
  })

  it('may be given what grants alone stand for, unless it is made without them', () => {
    const held = { permissions: ['a:read'], granted_permissions: ['a:read', 'c:run'] }
    const catalogue = ['a:read', 'b:read', 'c:run']

    expect(scopesFor(held, true, catalogue)).toEqual(['a:read', 'c:run'])
    expect(everythingOf(held, true, catalogue)).toEqual(['a:read', 'c:run'])
    expect(scopesFor(held, false, catalogue)).toEqual(['a:read'])
    expect(catalogue.filter((one) => byGrantsAlone(one, held))).toEqual(['c:run'])
    expect(byGrantsAlone('c:run', { ...held, permissions: ['*'] })).toBe(false)
  })

  it('for everything names each permission, unless its owner holds simply all', () => {
    const held = (...permissions: string[]) => ({ permissions, granted_permissions: [] })

    expect(everythingOf(held('*'), true, ['a:read'])).toEqual(['*'])
    expect(everythingOf(held('a:read'), true, ['a:read', 'b:read'])).toEqual(['a:read'])
  })

  it('ends so many days from now', () => {
    expect(expiryAfter(7, new Date('2026-03-01T10:00:00Z'))).toBe('2026-03-08T10:00:00.000Z')
  })
})

describe('a grant', () => {
  const grant = { state: 'live', object_type: 'host', actions: ['execute'] } as const
  const grants = [{ ...grant, actions: [...grant.actions] }]

  it('opens a page when it is in force and about such objects', () => {
    expect(reaches(grants, { action: 'execute', types: ['host', 'host_group'] })).toBe(true)
    expect(reaches(grants, { action: 'view', types: [] })).toBe(true)
    expect(reaches(grants, { action: 'edit', types: ['host'] })).toBe(false)
    expect(reaches(grants, { action: 'execute', types: ['plan'] })).toBe(false)
    expect(reaches([{ ...grants[0]!, state: 'expired' }], { action: 'view', types: [] })).toBe(false)
  })
})

describe('an action', () => {
  it('is done once at a time and keeps what went wrong until the next try', async () => {
    const action = useAction((thrown) => String(thrown))
    let finish = () => {}
    const first = action.run(() => new Promise<void>((done) => (finish = done)))
    const work = vi.fn()

    expect(await action.run(work)).toBe(false)
    expect(work).not.toHaveBeenCalled()
    finish()
    expect(await first).toBe(true)
    expect(await action.run(() => Promise.reject(new Error('no')))).toBe(false)
    expect(action.problem.value).toBe('Error: no')
    expect(action.busy.value).toBe(false)
  })
})
