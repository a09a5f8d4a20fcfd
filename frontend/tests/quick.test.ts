import { describe, expect, it } from 'vitest'
import type { AgentStatus } from '@/api/types'
import { formatArguments, parseArguments } from '@/ui/run/arguments'
import { type Draft, emptyDraft, planOf, requestOf } from '@/features/execution/quick/plan'
import { SubmitKey } from '@/api/submit-key'

const host = (id: number, agent_status: AgentStatus = 'online') => ({ id, name: `h${id}`, agent_status })
const draft = (changes: Partial<Draft>): Draft => ({ ...emptyDraft(), script: 'echo', hosts: [host(1)], ...changes })

describe('the plan', () => {
  it('counts hosts that wait and hosts without an agent', () => {
    const plan = planOf(draft({ hosts: [host(1), host(2, 'offline'), host(3, 'none'), host(4, 'disabled')] }))

    expect(plan).toEqual({ blocker: null, hosts: 4, waiting: 1, agentless: 2 })
  })

  it.each([
    ['noHosts', { hosts: [] }],
    ['noScript', { script: ' \n' }],
    ['badTimeout', { timeout: 0 }],
    ['badTimeout', { timeout: 86_401 }],
    ['openQuote', { args: "it's" }],
  ] as const)('is blocked by %s', (blocker, changes) => {
    expect(planOf(draft(changes as Partial<Draft>)).blocker).toBe(blocker)
  })

  it('sends only what differs from the defaults', () => {
    expect(requestOf(draft({}))).toEqual({ script_content: 'echo', script_type: 'shell', target_host_ids: [1], timeout: 300 })
    expect(requestOf(draft({ args: "-v 'a b'", runAs: ' deploy ' }))).toMatchObject({ args: ['-v', 'a b'], run_as: 'deploy' })
  })
})

describe('arguments', () => {
  it.each([
    ['', []],
    ['  a   b ', ['a', 'b']],
    [`one "two words" 'three $x'`, ['one', 'two words', 'three $x']],
    ['a\\ b "c\\"d"', ['a b', 'c"d']],
    [`--x='' ""`, ['--x=', '']],
    [`pre"mid"'post'`, ['premidpost']],
  ])('%s', (text, args) => {
    expect(parseArguments(text)).toEqual({ args, unclosed: false })
  })

  it('come back as they were typed', () => {
    const args = ['plain', 'two words', "it's", '', '--a=b']

    expect(parseArguments(formatArguments(args)).args).toEqual(args)
  })
})

describe('the key of a submit', () => {
  const counting = () => {
    let made = 0
    return new SubmitKey(() => String((made += 1)))
  }

  it('stays the same for a retry', () => {
    const key = counting()

    expect([key.for({ a: 1 }), key.for({ a: 1 })]).toEqual(['1', '1'])
  })

  it('changes with the request and after an answer', () => {
    const key = counting()
    const first = key.for({ a: 1 })
    const changed = key.for({ a: 2 })
    key.settle()

    expect([first, changed, key.for({ a: 2 })]).toEqual(['1', '2', '3'])
  })
})
