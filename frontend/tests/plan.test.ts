import { describe, expect, it } from 'vitest'
import { emptyPlan, emptyStep, planBlocker, type PlanDraft, planRequest, repairReferences, withoutStep } from '@/features/execution/plans/plan'
import { batchSizes, emptyStrategy, strategyBlocker, strategyRequest } from '@/ui/run/strategy'
import { emptyVariable, variablesBlocker, variablesRequest, withoutSecrets } from '@/ui/run/variables'

const host = { id: 7, name: 'web-1', agent_status: 'online' as const }

function plan(change: (draft: PlanDraft) => void = () => undefined): PlanDraft {
  const draft = emptyPlan('One')
  draft.hosts = [host]
  draft.steps = [1, 2, 3].map((key) => ({ ...emptyStep(key, 'script', `Step ${key}`), script: 'true' }))
  change(draft)
  return draft
}

/** The first three steps, for tests that change them. */
function steps(draft: PlanDraft) {
  return draft.steps as [PlanDraft['steps'][number], PlanDraft['steps'][number], PlanDraft['steps'][number]]
}

describe('a plan', () => {
  it('sends steps in their order and leaves out what is as usual', () => {
    expect(planRequest(plan((draft) => draft.steps.splice(1)))).toEqual({
      steps: [{ name: 'Step 1', kind: 'script', script_content: 'true', script_type: 'shell', timeout: 300 }],
      target_host_ids: [7],
    })
  })

  it('names other steps by the names they have when it is sent', () => {
    const draft = plan((one) => {
      const [first, second, third] = steps(one)
      third.isHandler = true
      first.onFailure = third.key
      Object.assign(second.condition, { kind: 'step', step: first.key, is: 'failed' })
      second.hostsOf = { step: first.key, result: 'failed' }
      first.name = 'Deploy'
      third.name = 'Roll back'
    })

    expect(planBlocker(draft)).toBeNull()
    expect(planRequest(draft).steps).toMatchObject([
      { name: 'Deploy', on_failure: 'Roll back' },
      { condition: { step: 'Deploy', is: 'failed' }, hosts_of: { step: 'Deploy', result: 'failed' } },
      { name: 'Roll back', is_handler: true },
    ])
  })

  it('forgets mentions of a step that is taken out or moved below', () => {
    const draft = plan((one) => {
      Object.assign(steps(one)[1].condition, { kind: 'step', step: 1 })
      steps(one)[2].hostsOf.step = 2
    })
    draft.steps.reverse()
    repairReferences(draft)
    expect(draft.steps.map((step) => [step.condition.kind, step.hostsOf.step])).toEqual([['always', null], ['always', null], ['always', null]])

    Object.assign(steps(draft)[1].condition, { kind: 'step', step: 3 })
    withoutStep(draft, steps(draft)[0])
    expect(draft.steps.map((step) => step.condition.kind)).toEqual(['always', 'always'])
  })

  it.each<[string, (draft: PlanDraft) => void]>([
    ['noHosts', (draft) => (draft.hosts = [])],
    ['noSteps', (draft) => (draft.steps = [])],
    ['onlyHandlers', (draft) => draft.steps.forEach((step) => (step.isHandler = true))],
    ['unusedHandler', (draft) => (steps(draft)[1].isHandler = true)],
    ['sameName', (draft) => (steps(draft)[1].name = 'Step 1')],
    ['noName', (draft) => (steps(draft)[1].name = ' ')],
    ['noScript', (draft) => (steps(draft)[2].script = '\n')],
    ['badCodes', (draft) => (steps(draft)[0].successCodes = '0, 256')],
    ['badEnv', (draft) => steps(draft)[0].env.push({ name: '1X', value: '' })],
    ['noCondition', (draft) => (steps(draft)[1].condition.kind = 'step')],
    ['noFiles', (draft) => (steps(draft)[1].kind = 'push')],
    ['noPatterns', (draft) => (steps(draft)[1].kind = 'collect')],
    ['badVariable', (draft) => draft.variables.push(emptyVariable())],
  ])('is blocked by %s', (what, change) => {
    expect(planBlocker(plan(change))?.what).toBe(what)
  })

  it('asks somebody, sends files and fetches files', () => {
    const draft = plan((one) => {
      const [ask, push, collect] = steps(one)
      Object.assign(ask, { kind: 'confirm', confirm: { message: 'Go on?', people: [7], roles: ['ops', 'lead'], expires: 60 } })
      push.kind = 'push'
      Object.assign(push.push, { files: [{ id: 'f1', name: 'a.bin', size: 3 }], path: '/opt/${HOST}/', mode: '0644', overwrite: 'backup', perHost: 5 })
      collect.kind = 'collect'
      Object.assign(collect.collect, { paths: '/var/log/*.log\n /etc/hosts ', excludes: '*.gz' })
    })

    expect(planBlocker(draft)).toBeNull()
    expect(planRequest(draft).steps).toMatchObject([
      { kind: 'confirm', confirm: { message: 'Go on?', user_ids: [7], roles: ['ops', 'lead'], expires_seconds: 60 } },
      { kind: 'push', file: { sources: [{ artifact_id: 'f1' }], remote_path: '/opt/${HOST}/', mode: '0644', overwrite_policy: 'backup', bandwidth_limit: 5 } },
      { kind: 'collect', file: { paths: ['/var/log/*.log', '/etc/hosts'], excludes: ['*.gz'] } },
    ])
  })
})

describe('a strategy', () => {
  it.each([
    ['1, 10, 50%', ['1', '10', '50%']],
    ['5 → 20％', ['5', '20%']],
    ['0', null],
    ['101%', null],
    ['', null],
  ])('reads %s', (typed, sizes) => {
    expect(batchSizes(typed)).toEqual(sizes)
  })

  it('says nothing when all is as usual', () => {
    expect(strategyRequest(emptyStrategy())).toBeUndefined()
  })

  it('says only what its mode knows', () => {
    const draft = { ...emptyStrategy(), batches: '2, 50%', delaySeconds: 5, ask: 'first' as const, concurrency: 3 }

    expect(strategyRequest(draft)).toEqual({ mode: 'parallel', concurrency: 3 })
    expect(strategyRequest({ ...draft, mode: 'rolling', tolerance: 'percent', tolerated: 10, action: 'pause' })).toEqual({
      mode: 'rolling', concurrency: 3, batches: ['2', '50%'], batch_delay_seconds: 5, confirm_between: 'first', failure_threshold: { percent: 10, action: 'pause' },
    })
    expect(strategyBlocker({ ...draft, mode: 'rolling', batches: 'x' })).toBe('badBatches')
  })
})

describe('variables', () => {
  const variable = (changes: object) => ({ ...emptyVariable(), name: 'A', ...changes })

  it('are sent with their types', () => {
    const drafts = [
      variable({ value: 'x' }), variable({ name: 'N', type: 'number', value: '2.5' }), variable({ name: 'C', type: 'choice', value: 'a', choices: 'a, b' }),
      variable({ name: 'S', type: 'secret', value: 'hidden' }), variable({ name: 'H', type: 'host_list', hosts: [1, 2] }),
    ]

    expect(variablesBlocker(drafts)).toBeNull()
    expect(variablesRequest(drafts)).toEqual({
      A: { type: 'text', value: 'x' }, N: { type: 'number', value: 2.5 }, C: { type: 'choice', value: 'a', choices: ['a', 'b'] },
      S: { type: 'secret', value: 'hidden' }, H: { type: 'host_list', value: [1, 2] },
    })
  })

  it('leave no secret behind in the browser', () => {
    expect(JSON.stringify(withoutSecrets([variable({ type: 'secret', value: 'hidden' })]))).not.toContain('hidden')
  })

  it.each([
    ['badVariable', [variable({ name: 'PATH' })]],
    ['badVariable', [variable({ name: 'OPSJOB_X' })]],
    ['badNumber', [variable({ type: 'number', value: 'two' })]],
    ['badChoice', [variable({ type: 'choice', value: 'c', choices: 'a,b' })]],
    ['noHostsInVariable', [variable({ type: 'host_list' })]],
    ['twiceVariable', [variable({}), variable({})]],
  ])('are refused for %s', (what, drafts) => {
    expect(variablesBlocker(drafts)).toBe(what)
  })
})
