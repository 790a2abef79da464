// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {FederatedState, IFederated, PanelStatus, Standing} from "../../../contracts/interfaces/IFederated.sol";
import {IFederatedEscrow} from "../../../contracts/interfaces/IFederatedEscrow.sol";
import {Reasons} from "./Reasons.sol";

/// @notice Deploys the market with the escrow of federated jobs, and makes the calls of a job, each by its party.
abstract contract FederatedSteps is Reasons {
    uint128 internal constant ROUND_PRICE = 0.4 ether;
    uint128 internal constant SEAT_FEE = 0.02 ether;
    uint96 internal constant SEAT_STAKE = 0.05 ether;
    uint24 internal constant ROUND = 1 hours;
    uint24 internal constant DISPUTE = 30 minutes;
    uint16 internal constant ROUNDS = 3;
    uint256 internal constant PROVIDERS = 4;
    bytes32 internal constant SEED = keccak256("the requester's seed");

    IFederatedEscrow internal federation;
    address[] internal providers;
    mapping(address account => uint256) internal keyOf;
    /// The closings of each job, in order.
    mapping(bytes32 jobId => IFederated.Closed[]) internal closings;
    /// Seats that signed a provider's strike.
    mapping(bytes32 jobId => mapping(address provider => address[])) internal strikers;
    /// Providers of a job that lost their stakes, and those that did not and have them again.
    mapping(bytes32 jobId => uint256) internal slashed;
    mapping(bytes32 jobId => uint256) internal spared;
    uint256 private _salt;

    function setUp() public virtual override {
        address[] memory escrows = new address[](1);
        escrows[0] = vm.computeCreateAddress(address(this), vm.getNonce(address(this)) + 3);
        address ratingAt = deploy("ProviderRating", abi.encode(escrows));
        address registryAt = deploy("ProviderRegistry", abi.encode(ratingAt, escrows, POOL_STAKE, COOLDOWN));
        address exceptions = deploy("FederatedExceptions", abi.encode(registryAt, ratingAt));
        federation = IFederatedEscrow(deploy("FederatedEscrow", abi.encode(registryAt, ratingAt, exceptions)));
        registry = federation.registry();
        rating = federation.rating();
        requester = vm.addr(1000);
        keyOf[requester] = 1000;
        vm.deal(requester, 1000 ether);
        for (uint256 i = 0; i < PROVIDERS; ++i) {
            uint256 key = 2000 + i;
            vm.deal(vm.addr(key), 1000 ether);
            publish(key, true, false);
            vm.prank(vm.addr(key));
            registry.deposit{value: STAKE}(vm.addr(key));
            providers.push(vm.addr(key));
            keyOf[vm.addr(key)] = key;
        }
        for (uint256 i = 0; i < VALIDATORS; ++i) {
            keyOf[join(3000 + i)] = 3000 + i;
        }
        vm.warp(vm.getBlockTimestamp() + 1);
    }

    function federatedTerms(uint8 seats) internal returns (IFederated.Terms memory terms) {
        terms.requester = requester;
        terms.roundPrice = ROUND_PRICE;
        terms.seatFee = SEAT_FEE;
        terms.providerStake = PROVIDER_STAKE;
        terms.seatStake = SEAT_STAKE;
        terms.rounds = ROUNDS;
        terms.least = 2;
        terms.places = uint8(PROVIDERS);
        terms.seats = seats;
        terms.enlistBy = uint40(vm.getBlockTimestamp() + ROUND);
        terms.roundWindow = ROUND;
        terms.disputeWindow = DISPUTE;
        terms.specHash = keccak256(abi.encode("spec", ++_salt));
        terms.seedHash = keccak256(abi.encode(SEED));
    }

    // ── Calls

    function post(IFederated.Terms memory terms) internal {
        vm.prank(requester);
        federation.post{value: lockedBy(terms)}(terms, "sealed");
    }

    function enlist(IFederated.Terms memory terms, address provider) internal {
        bytes memory admission = admissionOf(terms, provider);
        vm.prank(provider);
        federation.enlist(terms, admission);
    }

    function enlistAll(IFederated.Terms memory terms) internal {
        for (uint256 i = 0; i < providers.length; ++i) {
            enlist(terms, providers[i]);
        }
    }

    function begin(IFederated.Terms memory terms) internal {
        vm.prank(requester);
        federation.begin(terms);
    }

    function seat(IFederated.Terms memory terms) internal {
        passDraw(jobOf(terms).drawBlock);
        federation.seat(terms, SEED);
    }

    /// @dev Posted, all providers enlisted, begun and, with seats, seated.
    function run(uint8 seats) internal returns (IFederated.Terms memory terms) {
        start(terms = federatedTerms(seats));
    }

    /// @dev The same of a job that a cheat ends.
    function runRefunding(uint8 seats) internal returns (IFederated.Terms memory terms) {
        terms = federatedTerms(seats);
        terms.refunds = true;
        start(terms);
    }

    function start(IFederated.Terms memory terms) internal {
        post(terms);
        enlistAll(terms);
        begin(terms);
        if (terms.seats != 0) seat(terms);
    }

    /// @dev All providers say that they uploaded.
    function assertAll(IFederated.Terms memory terms) internal {
        for (uint256 i = 0; i < providers.length; ++i) {
            vm.prank(providers[i]);
            federation.assertUpload(terms, keccak256(abi.encode(providers[i])));
        }
    }

    /// @dev Closes the open round with the signatures of all seats, or by the requester.
    function close(IFederated.Terms memory terms) internal {
        close(terms, closingOf(terms, "honest"));
    }

    function close(IFederated.Terms memory terms, IFederated.Closing memory closing) internal {
        bytes32 id = federation.jobIdOf(terms);
        IFederated.Approval[] memory approvals = approvalsOf(terms, closing, 7);
        address[] memory signers = signersOf(approvals);
        closings[id].push(
            IFederated.Closed(
                closing, uint40(vm.getBlockTimestamp()), jobOf(terms).asserted, signers, federation.tipOf(id)
            )
        );
        vm.prank(requester);
        federation.close(terms, closing, approvals);
    }

    function signersOf(IFederated.Approval[] memory approvals) internal pure returns (address[] memory signers) {
        signers = new address[](approvals.length);
        for (uint256 i = 0; i < signers.length; ++i) {
            signers[i] = approvals[i].seat;
        }
    }

    function claim(IFederated.Terms memory terms, address account, uint256 round) internal {
        federation.claim(terms, payoutsOf(terms, account, round), closingsFrom(terms, round));
    }

    function challenge(IFederated.Terms memory terms, address who, uint256 round) internal {
        uint256 bond = federation.challengeBondOf(terms);
        IFederated.Closed[] memory list = closingsFrom(terms, round);
        vm.prank(who);
        federation.challenge{value: bond}(terms, list);
    }

    function empanel(IFederated.Terms memory terms, address provider) internal {
        passDraw(disputeOf(terms, provider).drawBlock);
        federation.empanel(terms, provider);
    }

    /// @dev All that were drawn commit to `finding` and reveal it.
    function decide(IFederated.Terms memory terms, address provider, bytes32 finding) internal {
        commitFindings(terms, provider, finding);
        address[] memory panel = disputeOf(terms, provider).panel;
        for (uint256 i = 0; i < panel.length; ++i) {
            vm.prank(panel[i]);
            federation.revealFinding(terms, provider, finding, "salt");
        }
    }

    function commitFindings(IFederated.Terms memory terms, address provider, bytes32 finding) internal {
        address[] memory panel = disputeOf(terms, provider).panel;
        for (uint256 i = 0; i < panel.length; ++i) {
            commitFinding(terms, provider, panel[i], finding);
        }
    }

    function commitFinding(IFederated.Terms memory terms, address provider, address who, bytes32 finding) internal {
        bytes32 id = federation.jobIdOf(terms);
        vm.prank(who);
        federation.commitFinding(
            terms, provider, keccak256(abi.encode(id, provider, who, finding, bytes32("salt")))
        );
    }

    function strike(IFederated.Terms memory terms, address provider) internal {
        IFederated.Strike memory found = strikeOf(terms, provider);
        IFederated.Approval[] memory approvals = approvalsOf(terms, found);
        strikers[federation.jobIdOf(terms)][provider] = signersOf(approvals);
        federation.strike(terms, found, approvals);
    }

    function appeal(IFederated.Terms memory terms, address provider) internal {
        IFederated.Strike memory found = strikeOf(terms, provider);
        address[] memory signers = strikers[federation.jobIdOf(terms)][provider];
        vm.prank(provider);
        federation.appeal{value: uint256(3) * terms.seatFee}(terms, found, signers);
    }

    function concludeChallenge(IFederated.Terms memory terms, uint256 round) internal {
        IFederated.Closed[] memory list = closingsFrom(terms, round);
        federation.concludeChallenge(terms, list);
        bytes32 id = federation.jobIdOf(terms);
        while (closings[id].length > jobOf(terms).closed) closings[id].pop();
    }

    function release(IFederated.Terms memory terms, address account) internal {
        uint256 stake = registry.offerOf(account).stake;
        federation.release(terms, only(account));
        if (keyOf[account] >= 3000) return;
        bytes32 id = federation.jobIdOf(terms);
        if (registry.offerOf(account).stake < stake) ++slashed[id];
        else ++spared[id];
    }

    /// @dev Those whose strikes stand: the stakes of others can wait for them.
    function releaseStruck(IFederated.Terms memory terms) internal {
        for (uint256 i = 0; i < providers.length; ++i) {
            Standing standing = standingOf(terms, providers[i]);
            if (standing == Standing.Struck || standing == Standing.Condemned) release(terms, providers[i]);
        }
    }

    function only(address account) internal pure returns (address[] memory list) {
        list = new address[](1);
        list[0] = account;
    }

    /// @dev Lets the job's deadline pass and releases everybody.
    function releaseAll(IFederated.Terms memory terms) internal {
        vm.warp(jobOf(terms).deadline + 1);
        releaseStruck(terms);
        for (uint256 i = 0; i < providers.length; ++i) {
            if (standingOf(terms, providers[i]) == Standing.Enlisted) release(terms, providers[i]);
        }
        address[] memory seats = seatsOf(terms);
        for (uint256 i = 0; i < seats.length; ++i) {
            release(terms, seats[i]);
        }
    }

    // ── What parties compute

    function lockedBy(IFederated.Terms memory terms) internal pure returns (uint256) {
        return terms.rounds * (terms.roundPrice + uint256(terms.seats) * terms.seatFee);
    }

    /// @dev A closing of the open round; others have another `kind`. Each provider earns a quarter of each round's
    /// price, each seat its fee.
    function closingOf(IFederated.Terms memory terms, bytes32 kind) internal view returns (IFederated.Closing memory) {
        uint16 round = jobOf(terms).closed + 1;
        return IFederated.Closing({
            round: round,
            updatesRoot: keccak256(abi.encode(kind, "updates", round)),
            modelDigest: keccak256(abi.encode(kind, "model", round)),
            modelRoot: keccak256("parcel"),
            payRoot: payRootOf(terms, round),
            blindedKey: keccak256("key"),
            ledgerTip: keccak256("ledger")
        });
    }

    /// @dev Accounts that earn: providers, then seats.
    function earnersOf(IFederated.Terms memory terms) internal view returns (address[] memory earners) {
        address[] memory seats = seatsOf(terms);
        earners = new address[](PROVIDERS + seats.length);
        for (uint256 i = 0; i < earners.length; ++i) {
            earners[i] = i < PROVIDERS ? providers[i] : seats[i - PROVIDERS];
        }
    }

    function earnedOf(IFederated.Terms memory terms, address account, uint256 round) internal view returns (uint128) {
        bool provider = keyOf[account] < 3000;
        return uint128(round * (provider ? terms.roundPrice / PROVIDERS : terms.seatFee));
    }

    function payoutsOf(IFederated.Terms memory terms, address account, uint256 round)
        internal
        view
        returns (IFederated.Payout[] memory list)
    {
        list = new IFederated.Payout[](1);
        list[0] = IFederated.Payout(account, earnedOf(terms, account, round), proofOf(terms, account, round));
    }

    /// @dev A chain of leaves: the node of each level hashes one more leaf to those before.
    function payRootOf(IFederated.Terms memory terms, uint256 round) internal view returns (bytes32 root) {
        address[] memory earners = earnersOf(terms);
        root = _leafOf(terms, earners[0], round);
        for (uint256 i = 1; i < earners.length; ++i) {
            root = _pair(root, _leafOf(terms, earners[i], round));
        }
    }

    function proofOf(IFederated.Terms memory terms, address account, uint256 round)
        internal
        view
        returns (bytes32[] memory proof)
    {
        address[] memory earners = earnersOf(terms);
        uint256 place = 0;
        while (earners[place] != account) ++place;
        proof = new bytes32[](earners.length - (place == 0 ? 1 : place));
        bytes32 before = _leafOf(terms, earners[0], round);
        for (uint256 i = 1; i < place; ++i) {
            before = _pair(before, _leafOf(terms, earners[i], round));
        }
        uint256 next = 0;
        if (place != 0) proof[next++] = before;
        for (uint256 i = place + 1; next < proof.length; ++i) {
            proof[next++] = _leafOf(terms, earners[i], round);
        }
    }

    function _leafOf(IFederated.Terms memory terms, address account, uint256 round) private view returns (bytes32) {
        return keccak256(bytes.concat(keccak256(abi.encode(account, earnedOf(terms, account, round)))));
    }

    function _pair(bytes32 a, bytes32 b) private pure returns (bytes32) {
        return a < b ? keccak256(abi.encode(a, b)) : keccak256(abi.encode(b, a));
    }

    function strikeOf(IFederated.Terms memory, address provider) internal pure returns (IFederated.Strike memory) {
        return IFederated.Strike(provider, 1, keccak256(abi.encode(provider)));
    }

    // ── Signatures

    function admissionOf(IFederated.Terms memory terms, address provider) internal view returns (bytes memory) {
        bytes32 kind = keccak256("Admission(bytes32 job,address provider)");
        return _sign(requester, keccak256(abi.encode(kind, federation.jobIdOf(terms), provider)));
    }

    /// @dev The first `count` seats' signatures.
    function approvalsOf(IFederated.Terms memory terms, IFederated.Closing memory closing, uint256 count)
        internal
        view
        returns (IFederated.Approval[] memory)
    {
        bytes32 kind = keccak256(
            "Closing(bytes32 job,uint16 round,bytes32 updatesRoot,bytes32 modelDigest,bytes32 modelRoot,bytes32 payRoot,bytes32 blindedKey,bytes32 ledgerTip)"
        );
        return _approve(terms, keccak256(abi.encode(kind, federation.jobIdOf(terms), closing)), count);
    }

    function approvalsOf(IFederated.Terms memory terms, IFederated.Strike memory found)
        internal
        view
        returns (IFederated.Approval[] memory)
    {
        bytes32 kind = keccak256("Strike(bytes32 job,address provider,uint16 round,bytes32 upload)");
        return _approve(terms, keccak256(abi.encode(kind, federation.jobIdOf(terms), found)), 7);
    }

    function _approve(IFederated.Terms memory terms, bytes32 hash, uint256 count)
        private
        view
        returns (IFederated.Approval[] memory approvals)
    {
        address[] memory seats = seatsAs(terms, Standing.Seated);
        approvals = new IFederated.Approval[](count < seats.length ? count : seats.length);
        for (uint256 i = 0; i < approvals.length; ++i) {
            approvals[i] = IFederated.Approval(seats[i], _sign(seats[i], hash));
        }
    }

    function _sign(address who, bytes32 hash) private view returns (bytes memory) {
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("ichain"),
                keccak256("1"),
                block.chainid,
                address(federation)
            )
        );
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(keyOf[who], keccak256(abi.encodePacked("\x19\x01", domain, hash)));
        return abi.encodePacked(r, s, v);
    }

    // ── Reverts

    function refuses(address who, bytes memory data, bytes memory reason) internal {
        assertRevertsAt(address(federation), who, 0, data, reason);
    }

    function wrongState(IFederated.Terms memory terms) internal view returns (bytes memory) {
        bytes4 selector = IFederated.FederatedEscrow_InvalidStatus.selector;
        return abi.encodeWithSelector(selector, federation.jobIdOf(terms), stateOf(terms));
    }

    function wrongStanding(IFederated.Terms memory terms, address who) internal view returns (bytes memory) {
        bytes4 selector = IFederated.FederatedEscrow_WrongStanding.selector;
        return abi.encodeWithSelector(selector, federation.jobIdOf(terms), who, standingOf(terms, who));
    }

    /// @dev An error whose only argument is the job.
    function refusal(IFederated.Terms memory terms, bytes4 selector) internal view returns (bytes memory) {
        return abi.encodeWithSelector(selector, federation.jobIdOf(terms));
    }

    function refusal(IFederated.Terms memory terms, bytes4 selector, uint256 fact)
        internal
        view
        returns (bytes memory)
    {
        return abi.encodeWithSelector(selector, federation.jobIdOf(terms), fact);
    }

    function refusal(IFederated.Terms memory terms, bytes4 selector, address who)
        internal
        view
        returns (bytes memory)
    {
        return abi.encodeWithSelector(selector, federation.jobIdOf(terms), who);
    }

    // ── Read

    function jobOf(IFederated.Terms memory terms) internal view returns (IFederated.Job memory) {
        return federation.jobOf(federation.jobIdOf(terms));
    }

    function stateOf(IFederated.Terms memory terms) internal view returns (FederatedState) {
        return jobOf(terms).state;
    }

    function standingOf(IFederated.Terms memory terms, address who) internal view returns (Standing) {
        return federation.accountOf(federation.jobIdOf(terms), who).standing;
    }

    function disputeOf(IFederated.Terms memory terms, address provider)
        internal
        view
        returns (IFederated.Dispute memory)
    {
        return federation.disputeOf(federation.jobIdOf(terms), provider);
    }

    function closingsFrom(IFederated.Terms memory terms, uint256 round)
        internal
        view
        returns (IFederated.Closed[] memory list)
    {
        IFederated.Closed[] storage all = closings[federation.jobIdOf(terms)];
        list = new IFederated.Closed[](all.length + 1 - round);
        for (uint256 i = 0; i < list.length; ++i) {
            list[i] = all[round - 1 + i];
        }
    }

    /// @dev Seats, ascending.
    function seatsOf(IFederated.Terms memory terms) internal view returns (address[] memory seats) {
        seats = new address[](jobOf(terms).seated);
        uint256 found = 0;
        for (uint256 i = 0; i < accounts.length && found < seats.length; ++i) {
            if (federation.accountOf(federation.jobIdOf(terms), accounts[i]).seat) seats[found++] = accounts[i];
        }
    }

    /// @dev Seats of one standing, ascending.
    function seatsAs(IFederated.Terms memory terms, Standing standing) internal view returns (address[] memory list) {
        address[] memory seats = seatsOf(terms);
        uint256 count = 0;
        for (uint256 i = 0; i < seats.length; ++i) {
            if (standingOf(terms, seats[i]) == standing) seats[count++] = seats[i];
        }
        list = new address[](count);
        for (uint256 i = 0; i < count; ++i) {
            list[i] = seats[i];
        }
    }

    function owedTo(address account) internal view returns (uint256) {
        return federation.owed(account, address(0));
    }

    /// @dev Mines until the hash of `drawBlock` is known.
    function passDraw(uint256 drawBlock) internal {
        vm.roll(drawBlock + 1);
    }
}
