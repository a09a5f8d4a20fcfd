// What rules about dangerous commands say about the draft, a moment after the last change; a run is judged by the server anyway.
import { onBeforeUnmount, type Ref, shallowRef, watch } from 'vue'
import { api, call } from '@/api/client'
import { parseArguments } from '@/ui/run/arguments'
import type { Finding } from '@/ui/run/RuleFindings.vue'
import { isVariableName } from '@/ui/run/variables'
import type { Draft } from './plan'

const PAUSE = 500
const PLAIN: ReadonlySet<string> = new Set(['text', 'number', 'choice'])

export function useFindings(draft: Draft): Ref<readonly Finding[]> {
  const findings = shallowRef<readonly Finding[]>([])
  let timer: ReturnType<typeof setTimeout> | undefined
  let current: AbortController | null = null

  async function look(): Promise<void> {
    current?.abort()
    const mine = new AbortController()
    current = mine
    const values = draft.variables.filter((one) => PLAIN.has(one.type) && isVariableName(one.name))
    const body = {
      script_content: draft.script, script_type: draft.language, args: parseArguments(draft.args).args,
      env: Object.fromEntries(values.map((one) => [one.name, one.value])), target_host_ids: draft.hosts.map((host) => host.id),
    }
    const answer = draft.script.trim() === '' ? null : await call(api.POST('/api/executor/command_rules/check/', { body, signal: mine.signal })).catch(() => null)
    if (current === mine) findings.value = answer?.findings ?? []
  }

  watch(() => [draft.script, draft.language, draft.args, draft.hosts, draft.variables], () => {
    clearTimeout(timer)
    timer = setTimeout(() => void look(), PAUSE)
  }, { deep: true, immediate: true })
  onBeforeUnmount(() => {
    clearTimeout(timer)
    current?.abort()
  })
  return findings
}
