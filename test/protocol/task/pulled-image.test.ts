import assert from "node:assert/strict";
import { test } from "node:test";
import {
  matchesName,
  namePatternSchema,
  pulledImageSchema,
} from "../../../src/protocol/task/pulled-image.ts";

const digest = `sha256:${"ab".repeat(32)}`;

test("an image of a registry is named by its host and its digest", () => {
  for (const name of [
    "docker.io/pytorch/pytorch",
    "ghcr.io/a/b/c-d_e",
    "127.0.0.1:5000/x",
    "localhost:5000/a.b/c",
  ])
    assert.equal(pulledImageSchema.parse(`${name}@${digest}`), `${name}@${digest}`);
  for (const bad of [
    ...[
      "pytorch/pytorch",
      "localhost/x",
      "docker.io",
      "docker.io/",
      "docker.io/A",
      "docker.io/a//b",
      "-a.io/x",
      "a.io/../x",
    ],
    ...[
      "docker.io/a:latest",
      "docker.io/a b",
      "user@docker.io/a",
      "https://docker.io/a",
      `docker.io/${"a".repeat(300)}`,
    ],
  ])
    assert.equal(pulledImageSchema.safeParse(`${bad}@${digest}`).success, false, bad);
  for (const bad of [
    "docker.io/a",
    "docker.io/a:latest",
    `docker.io/a@${digest}0`,
    `docker.io/a@sha512:${"a".repeat(64)}`,
  ])
    assert.equal(pulledImageSchema.safeParse(bad).success, false, bad);
});

test("a pattern's star stands for any part of a name, and never for a slash", () => {
  const fits = (pattern: string, name: string) =>
    matchesName(namePatternSchema.parse(pattern), `${name}@${digest}`);
  for (const [pattern, name] of [
    ["docker.io/pytorch/pytorch", "docker.io/pytorch/pytorch"],
    ["docker.io/pytorch/*", "docker.io/pytorch/torchvision"],
    ["docker.io/*/a*b*c", "docker.io/x/abc"],
    ["docker.io/*/a*b*c", "docker.io/x/a-b-b-c"],
    ["*/x", "127.0.0.1:5000/x"],
  ] as const)
    assert.equal(fits(pattern, name), true, `${pattern} ${name}`);
  for (const [pattern, name] of [
    ["docker.io/pytorch/*", "docker.io/pytorch/a/b"],
    ["docker.io/pytorch/*", "evil.docker.io/pytorch/a"],
    ["docker.io/pytorch/*", "docker.io/pytorch-evil/a"],
    ["docker.io/*/aa*a", "docker.io/x/aa"],
    ["docker.io/x/ab*ba", "docker.io/x/aba"],
  ] as const)
    assert.equal(fits(pattern, name), false, `${pattern} ${name}`);
  for (const bad of ["*", "docker.io", "docker.io/", "/x", "a.io/x@sha256", "a.io/(x)"])
    assert.equal(namePatternSchema.safeParse(bad).success, false, bad);
  const slow = `a.io/${"*a".repeat(60)}`.slice(0, 128);
  assert.equal(fits(slow, `a.io/${"a".repeat(200)}b`), false);
});
