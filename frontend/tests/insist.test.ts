import { afterEach, describe, expect, it, vi } from 'vitest'
import { api, call } from '@/api/client'
import { BELIEVED_MS, configureQuestions } from '@/api/insist'

const refusal = (status: number, error: string, details: object = {}) =>
  new Response(JSON.stringify({ code: status, message: 'No.', success: false, content: { error, details, request_id: 'r1' } }), { status, headers: { 'Content-Type': 'application/json' } })
const done = () => new Response(JSON.stringify({ code: 201, message: 'OK', success: true, content: { id: 7 } }), { status: 201, headers: { 'Content-Type': 'application/json' } })

function answering(...answers: Response[]) {
  const seen: { headers: Headers; body: unknown }[] = []
  vi.spyOn(globalThis, 'fetch').mockImplementation(async (sent) => {
    const request = sent as Request
    seen.push({ headers: request.headers, body: await request.clone().json() })
    return answers.shift() as Response
  })
  return seen
}
const change = () => call(api.POST('/api/permissions/roles/', { body: { name: 'r', description: '', permissions: ['hosts:read'] }, headers: { 'Idempotency-Key': 'k' }, fetch: (request) => globalThis.fetch(request) }))

afterEach(() => {
  configureQuestions(null)
  vi.useRealTimers()
})

describe('a request that asks for more', () => {
  it('goes out again as it was once somebody has proved to be there', async () => {
    const seen = answering(refusal(403, 'step_up_required'), done())
    const prove = vi.fn(async () => true)
    configureQuestions({ prove, typeCount: async () => false })

    expect(await change()).toEqual({ id: 7 })

    expect(prove).toHaveBeenCalledOnce()
    expect(seen).toHaveLength(2)
    expect(seen[1]?.body).toEqual(seen[0]?.body)
    expect(seen[1]?.headers.get('Idempotency-Key')).toBe('k')
    expect(seen[1]?.headers.get('X-Requested-With')).toBe('opsjob')
  })

  it('stays refused when that is declined', async () => {
    const seen = answering(refusal(403, 'step_up_required'))
    configureQuestions({ prove: async () => false, typeCount: async () => false })

    await expect(change()).rejects.toMatchObject({ status: 403, code: 'step_up_required' })

    expect(seen).toHaveLength(1)
  })

  it('asks once for several requests at once', async () => {
    answering(refusal(403, 'step_up_required'), refusal(403, 'step_up_required'), done(), done())
    const prove = vi.fn(() => new Promise<boolean>((tell) => setTimeout(() => tell(true), 5)))
    configureQuestions({ prove, typeCount: async () => false })

    await Promise.all([change(), change()])

    expect(prove).toHaveBeenCalledOnce()
  })

  it('waits for another gateway that has not noticed the proof yet', async () => {
    vi.useFakeTimers()
    answering(refusal(403, 'step_up_required'), refusal(403, 'step_up_required'), done())
    configureQuestions({ prove: async () => true, typeCount: async () => false })

    const pending = change()
    await vi.advanceTimersByTimeAsync(BELIEVED_MS)

    expect(await pending).toEqual({ id: 7 })
  })

  it('carries the number that was typed, and then the proof', async () => {
    const details = { count: 120, field: 'confirmed_host_count' }
    const seen = answering(refusal(409, 'count_unconfirmed', details), refusal(403, 'step_up_required'), done())
    const typeCount = vi.fn(async () => true)
    configureQuestions({ prove: async () => true, typeCount })

    expect(await change()).toEqual({ id: 7 })

    expect(typeCount).toHaveBeenCalledWith(120)
    expect(seen[2]?.body).toEqual({ ...(seen[0]?.body as object), confirmed_host_count: 120 })
  })

  it('leaves every other refusal to the page', async () => {
    const seen = answering(refusal(403, 'forbidden'))
    const prove = vi.fn(async () => true)
    configureQuestions({ prove, typeCount: async () => true })

    await expect(change()).rejects.toMatchObject({ code: 'forbidden' })

    expect(prove).not.toHaveBeenCalled()
    expect(seen).toHaveLength(1)
  })
})
