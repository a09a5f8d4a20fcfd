// What an approval is about, read from the text whose hash is decided on.
import type { Finding } from '@/ui/run/RuleFindings.vue'

export interface ApprovedStep {
  name: string
  kind: string
  script: string
  args: string[]
  env: Record<string, string>
  run_as: string | null
  host_count: number
  hosts: string[]
}

export interface ApprovedRun {
  steps: ApprovedStep[]
  findings: Finding[]
  values: [string, string][]
}

interface Stored {
  steps: ApprovedStep[]
  findings: Finding[]
  variables: Record<string, { type: string; text?: string }>
}

/** Of a run; null for other subjects, and where nothing was handed over. */
export function contentOf(approval: { subject_kind: string; content: string }): ApprovedRun | null {
  if (approval.subject_kind !== 'execution' || approval.content === '') return null
  const stored = JSON.parse(approval.content) as Stored
  const values = Object.entries(stored.variables).map(([name, one]): [string, string] => [name, one.type === 'secret' ? '••••••' : (one.text ?? one.type)])
  return { steps: stored.steps.filter((one) => one.kind !== 'confirm'), findings: stored.findings, values }
}
