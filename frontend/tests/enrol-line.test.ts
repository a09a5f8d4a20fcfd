import { describe, expect, it } from 'vitest'
import { enrolLine, gatewayUrl, type IssuedToken } from '@/ui/enrol-line'

const issued: IssuedToken = {
  token: 'secret', gateway_url: null, gateway_fingerprint: null, root_fingerprint: null,
}
const line = (given: Partial<IssuedToken> | null) => enrolLine(given && { ...issued, ...given }, 'https://here:8001', '/state')

describe('the line that enrols an agent', () => {
  it('leads to where agents connect, as the token says it or the server', () => {
    expect(line(null)).toBe('opsjob-agent enrol --gateway https://here:8001 --state /state')
    expect(line({ gateway_url: 'https://agents.example' })).toContain('--gateway https://agents.example ')
  })

  it('names the address of settings, else the port on the console’s host', () => {
    const console = { protocol: 'http:', hostname: 'ops.example' }

    expect(gatewayUrl({ url: 'https://agents.example', port: 8134 }, console)).toBe('https://agents.example')
    expect(gatewayUrl({ url: null, port: 8134 }, console)).toBe('http://ops.example:8134')
    expect(line(null)).not.toContain("'")
    expect(enrolLine(null, gatewayUrl(null, console), '/s')).toContain(' http://ops.example:<agent-port> ')
  })

  it('pins what is known and never holds the token', () => {
    const text = line({ gateway_fingerprint: 'sha256:aa', root_fingerprint: 'sha256:bb' })
    expect(text).toMatch(/--gateway-fingerprint sha256:aa --root-key sha256:bb$/)
    expect(text).not.toContain('secret')
  })

  it('is one command whatever an address holds', () => {
    expect(line({ gateway_url: "https://x;reboot'" })).toContain(`'https://x;reboot'\\'''`)
  })
})
