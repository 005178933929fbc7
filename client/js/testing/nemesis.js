// driver.js in Node: a line is an order [name, …arguments], and is answered with what that returns.

import { createInterface } from "node:readline";

import { Hub } from "../hub.js";
import { drive } from "./driver.js";

const driver = drive(Hub, WebSocket, JSON.parse(process.argv[2]));
for await (const line of createInterface({ input: process.stdin })) {
	const [name, ...args] = JSON.parse(line);
	process.stdout.write(`${JSON.stringify(driver[name](...args) ?? null)}\n`);
}
driver.stop();
