// The line that enrols an agent, with what its host may believe.
export interface IssuedToken {
  token: string
  gateway_url: string | null
  gateway_fingerprint: string | null
  root_fingerprint: string | null
}

/** As the server tells it: an address, or a port on the host name of the console, or neither. */
export interface GatewayPlace {
  url: string | null
  port: number | null
}

const PLAIN = /^[\w@%+=:,./-]+$/

/** One word of a shell, whatever it holds; `<…>` stays readable as something to fill in. */
const word = (text: string) => (PLAIN.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`)

/** Where agents connect, seen from a console at this address; null stands for a server that did not say. */
export function gatewayUrl(place: GatewayPlace | null, console: { protocol: string; hostname: string }): string {
  return place?.url ?? `${console.protocol}//${console.hostname}:${place?.port ?? '<agent-port>'}`
}

export function enrolLine(issued: IssuedToken | null, gateway: string, state: string): string {
  const url = issued?.gateway_url ?? gateway
  const parts = ['opsjob-agent enrol', '--gateway', url.includes('<') ? url : word(url), '--state', state]
  if (issued?.gateway_fingerprint) parts.push('--gateway-fingerprint', word(issued.gateway_fingerprint))
  if (issued?.root_fingerprint) parts.push('--root-key', word(issued.root_fingerprint))
  return parts.join(' ')
}
