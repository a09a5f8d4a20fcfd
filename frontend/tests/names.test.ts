import { describe, expect, it } from 'vitest'
import { namesFrom } from '@/api/names'

/** A server that answers when it is told to. */
function server() {
  const asked: { id: number; tell: (name: string) => void; fail: () => void }[] = []
  const byId = (id: number) => new Promise<{ name: string }>((tell, fail) => asked.push({ id, tell: (name) => tell({ name }), fail: () => fail(new Error('gone')) }))
  return { asked, byId }
}

const settled = async (): Promise<void> => {
  for (let turn = 0; turn < 8; turn += 1) await Promise.resolve()
}

describe('names of objects', () => {
  it('are asked for once, and not at all of kinds that have none', async () => {
    const { asked, byId } = server()
    const names = namesFrom({ host: { byId } })
    expect([names.nameOf('host', '7'), names.nameOf('host', '7'), names.nameOf('plan', '7')]).toEqual([undefined, undefined, '#7'])
    await settled()
    asked[0]?.tell('web-7')
    await settled()

    expect([asked.length, names.nameOf('host', '7')]).toEqual([1, 'web-7'])
  })

  it('are asked for a few at a time, also when one cannot be had', async () => {
    const { asked, byId } = server()
    const names = namesFrom({ host: { byId } })
    for (let id = 1; id <= 6; id += 1) names.nameOf('host', String(id))
    await settled()
    expect(asked.map((one) => one.id)).toEqual([1, 2, 3, 4])
    asked[1]?.fail()
    await settled()

    expect(asked.map((one) => one.id)).toEqual([1, 2, 3, 4, 5])
    expect(names.nameOf('host', '2')).toBe('#2')
  })

  it('are nothing to the next person, also when they come late', async () => {
    const { asked, byId } = server()
    const names = namesFrom({ host: { byId } })
    names.nameOf('host', '1')
    await settled()
    names.forget()
    asked[0]?.tell('secret-host')
    await settled()
    expect(names.nameOf('host', '1')).toBeUndefined()
    await settled()

    expect(asked).toHaveLength(2)
  })
})
