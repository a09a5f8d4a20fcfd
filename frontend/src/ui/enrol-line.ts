// The line that enrols an agent, with what its host may believe.
export interface IssuedToken {
  token: string
  gateway_url: string | null
  gateway_fingerprint: string | null
  root_fingerprint: string | null
}

const PLAIN = /^[\w@%+=:,./-]+$/

/** One word of a shell, whatever it holds; `<…>` stays readable as something to fill in. */
const word = (text: string) => (PLAIN.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`)

/** `beside` is where agents probably connect, for platforms whose settings do not say it. */
export function enrolLine(issued: IssuedToken | null, beside: string, state: string): string {
  const parts = ['opsjob-agent enrol', '--gateway', issued?.gateway_url ? word(issued.gateway_url) : beside, '--state', state]
  if (issued?.gateway_fingerprint) parts.push('--gateway-fingerprint', word(issued.gateway_fingerprint))
  if (issued?.root_fingerprint) parts.push('--root-key', word(issued.root_fingerprint))
  return parts.join(' ')
}
