// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IJob, SeatStatus, State} from "../../../contracts/interfaces/IJob.sol";
import {Job} from "./JobView.sol";
import {Reasons} from "./Reasons.sol";

/// @notice The calls of a job, each by the party that makes it, with fixed measurements and secrets.
abstract contract Steps is Reasons {
    int64 internal constant GOOD = 970_000_000;
    /// Below the threshold; in an exam only, where the provider's score does not count, it is no disagreement.
    int64 internal constant SHORT = 890_000_000;
    bytes32 internal constant OUTPUTS = keccak256("outputs");
    bytes32 internal constant OTHER_OUTPUTS = keccak256("other outputs");
    bytes32 internal constant BLINDED_KEY = keccak256("session key xor mask");

    /// Validators that had committed and not revealed when their round was over.
    mapping(bytes32 jobId => mapping(address validator => bool)) internal hid;

    function post(IJob.Terms memory terms) internal {
        uint256 sum = terms.price + uint256(terms.rule.validators()) * terms.validatorFee;
        vm.prank(terms.requester);
        escrow.post{value: terms.token == address(0) ? sum : 0}(terms, tipOf(REQUESTERS_SECRET), "sealed bundle");
    }

    function accept(IJob.Terms memory terms) internal {
        vm.prank(terms.provider);
        escrow.accept(terms);
    }

    function submit(IJob.Terms memory terms) internal {
        bytes32 commitment = commitmentOf(terms, terms.provider, honest());
        bytes32 key = keyCommitmentOf(terms);
        vm.prank(terms.provider);
        escrow.submit(terms, keccak256("root"), commitment, key, tipOf(PROVIDERS_SECRET), "sealed result");
    }

    function appoint(IJob.Terms memory terms) internal {
        IJob.Appointment[] memory list = appointmentsOf(terms.rule.validators());
        vm.prank(terms.requester);
        escrow.appoint(terms, list);
    }

    function appointmentsOf(uint256 count) internal view returns (IJob.Appointment[] memory list) {
        list = new IJob.Appointment[](count);
        for (uint256 i = 0; i < count; ++i) {
            list[i] = IJob.Appointment(validator(i), "sealed to a validator");
        }
    }

    function commit(IJob.Terms memory terms, address who, IJob.Measurement memory found) internal {
        bytes32 commitment = commitmentOf(terms, who, found);
        vm.prank(who);
        escrow.commit(terms, commitment);
    }

    function abstain(IJob.Terms memory terms, address who) internal {
        vm.prank(who);
        escrow.abstain(terms, "no such image");
    }

    function reveal(IJob.Terms memory terms, address who, IJob.Measurement memory found) internal {
        bytes32 secrets = secretsOf(terms);
        vm.prank(who);
        escrow.reveal(terms, found, honest(), secrets);
    }

    function revealAlone(IJob.Terms memory terms, address who, IJob.Measurement memory found) internal {
        vm.prank(who);
        escrow.revealAlone(terms, found);
    }

    function disclose(IJob.Terms memory terms) internal {
        bytes32 secrets = secretsOf(terms);
        vm.prank(terms.provider);
        escrow.disclose(terms, honest(), secrets);
    }

    function claim(IJob.Terms memory terms) internal {
        bytes memory data = claimData(terms);
        vm.prank(terms.provider);
        _call(0, data);
    }

    function settle(IJob.Terms memory terms, address who) internal {
        address[] memory panel = panelOf(terms);
        vm.prank(who);
        escrow.settle(terms, panel);
    }

    function expire(IJob.Terms memory terms, address who) internal {
        address[] memory panel = panelOf(terms);
        vm.prank(who);
        escrow.expire(terms, panel);
    }

    function conclude(IJob.Terms memory terms) internal {
        escrow.conclude(terms);
    }

    /// @dev Lets the deadline to commit pass and dismisses all validators that have not committed.
    function dismissAll(IJob.Terms memory terms) internal {
        passDeadline(terms);
        escrow.dismiss(terms, seatedAs(terms, SeatStatus.Appointed));
    }

    /// @dev Called when a round is over: validators that have not revealed cannot do so any more.
    function noteHidden(IJob.Terms memory terms) internal {
        address[] memory hidden = seatedAs(terms, SeatStatus.Committed);
        for (uint256 i = 0; i < hidden.length; ++i) {
            hid[escrow.jobIdOf(terms)][hidden[i]] = true;
        }
    }

    function appeal(IJob.Terms memory terms) internal {
        noteHidden(terms);
        uint256 bond = escrow.appealBondOf(terms);
        vm.prank(terms.provider);
        escrow.appeal{value: terms.token == address(0) ? bond : 0}(terms);
    }

    function challenge(IJob.Terms memory terms) internal {
        noteHidden(terms);
        uint256 bond = escrow.challengeBondOf(terms);
        bytes memory data = challengeData(terms);
        vm.prank(terms.requester);
        _call(terms.token == address(0) ? bond : 0, data);
    }

    function revealSeed(IJob.Terms memory terms) internal {
        bytes memory data = revealSeedData(terms);
        vm.prank(terms.requester);
        _call(0, data);
    }

    /// @dev Both parties reveal their seeds; the requester unless it has already.
    function draw(IJob.Terms memory terms) internal {
        if (!jobOf(terms).seeded) revealSeed(terms);
        drawAsProvider(terms);
    }

    /// @dev The requester misses its window to reveal a seed or to appoint, and the provider draws by its own seed.
    function drawAlone(IJob.Terms memory terms) internal {
        passDeadline(terms);
        drawAsProvider(terms);
    }

    function drawAsProvider(IJob.Terms memory terms) internal {
        bytes memory data = drawData(terms);
        vm.prank(terms.provider);
        _call(0, data);
    }

    function challengeData(IJob.Terms memory terms) internal view returns (bytes memory) {
        bytes32 seed = seedOf(REQUESTERS_SECRET, jobOf(terms).draws + 1);
        return abi.encodeCall(escrow.challenge, (terms, MASK_HASH, seed));
    }

    function revealSeedData(IJob.Terms memory terms) internal view returns (bytes memory) {
        bytes32 seed = seedOf(REQUESTERS_SECRET, jobOf(terms).draws);
        return abi.encodeCall(escrow.revealSeed, (terms, MASK_HASH, seed));
    }

    /// @dev The first draw of a job whose requester did not appoint is scheduled by the draw itself.
    function drawData(IJob.Terms memory terms) internal view returns (bytes memory) {
        Job memory job = jobOf(terms);
        uint256 number = job.state == State.Submitted ? 1 : job.draws;
        return drawData(terms, seedOf(PROVIDERS_SECRET, number));
    }

    function drawData(IJob.Terms memory terms, bytes32 seed) internal view returns (bytes memory) {
        bytes32 commitment = commitmentOf(terms, terms.provider, honest());
        return abi.encodeCall(escrow.draw, (terms, commitment, keyCommitmentOf(terms), seed));
    }

    function claimData(IJob.Terms memory terms) internal view returns (bytes memory) {
        bytes32 commitment = commitmentOf(terms, terms.provider, honest());
        bytes32 tip = tipOf(PROVIDERS_SECRET);
        return abi.encodeCall(escrow.claim, (terms, BLINDED_KEY, commitment, tip, panelOf(terms)));
    }

    /// @dev Calls as the pranked account; reverts as the call does.
    function _call(uint256 value, bytes memory data) private {
        (bool done, bytes memory why) = address(escrow).call{value: value}(data);
        if (!done) {
            assembly ("memory-safe") {
                revert(add(why, 32), mload(why))
            }
        }
    }

    /// @dev All seated validators that may commit, commit to `found`.
    function commitAll(IJob.Terms memory terms, IJob.Measurement memory found) internal {
        address[] memory seated = seatedAs(terms, SeatStatus.Appointed);
        for (uint256 i = 0; i < seated.length; ++i) {
            commit(terms, seated[i], found);
        }
    }

    /// @dev All validators that committed in the present round reveal `found` and the provider's measurement.
    function revealAll(IJob.Terms memory terms, IJob.Measurement memory found) internal {
        address[] memory seated = seatedAs(terms, SeatStatus.Committed);
        for (uint256 i = 0; i < seated.length; ++i) {
            reveal(terms, seated[i], found);
        }
    }

    /// @dev All validators of the present round commit to and reveal `found`.
    function decide(IJob.Terms memory terms, IJob.Measurement memory found) internal {
        commitAll(terms, found);
        revealAll(terms, found);
    }

    /// @dev All seated validators abstain.
    function abstainAll(IJob.Terms memory terms) internal {
        address[] memory seated = seatedAs(terms, SeatStatus.Appointed);
        for (uint256 i = 0; i < seated.length; ++i) {
            abstain(terms, seated[i]);
        }
    }

    /// @dev Validators in `status`, without those that hid in a round that is over.
    function seatedAs(IJob.Terms memory terms, SeatStatus status)
        internal
        view
        returns (address[] memory seated)
    {
        bytes32 id = escrow.jobIdOf(terms);
        address[] memory panel = panelOf(terms);
        uint256 count = 0;
        for (uint256 i = 0; i < panel.length; ++i) {
            if (escrow.seatOf(id, panel[i]) == status && !hid[id][panel[i]]) panel[count++] = panel[i];
        }
        seated = new address[](count);
        for (uint256 i = 0; i < count; ++i) {
            seated[i] = panel[i];
        }
    }

    /// @dev Brings a job to `state` by the shortest way, with the validators that its terms ask for.
    function reach(IJob.Terms memory terms, State state) internal {
        post(terms);
        if (state == State.Posted) return;
        accept(terms);
        if (state == State.Accepted) return;
        submit(terms);
        if (state == State.Submitted) return;
        if (state == State.Claimed) return claim(terms);
        appoint(terms);
        if (state == State.Validating) return;
        IJob.Measurement memory found = state == State.Rejected ? wrong() : honest();
        commitAll(terms, found);
        if (state == State.Inconclusive) {
            passDeadline(terms);
            return conclude(terms);
        }
        revealAll(terms, found);
        if (state == State.Settled) claim(terms);
    }

    /// @dev The provider's measurement, and that of a validator that agrees.
    function honest() internal pure returns (IJob.Measurement memory) {
        return IJob.Measurement(OUTPUTS, GOOD, keccak256("salt"));
    }

    /// @dev The measurement of a validator that disagrees with the provider.
    function wrong() internal pure returns (IJob.Measurement memory) {
        return IJob.Measurement(OTHER_OUTPUTS, GOOD, keccak256("salt"));
    }

    /// @dev The measurement of a validator that agrees with the provider and finds the threshold not reached.
    function short() internal pure returns (IJob.Measurement memory) {
        return IJob.Measurement(OUTPUTS, SHORT, keccak256("salt"));
    }

    function commitmentOf(IJob.Terms memory terms, address author, IJob.Measurement memory found)
        internal
        view
        returns (bytes32)
    {
        return keccak256(abi.encode(escrow.jobIdOf(terms), author, found.digest, found.score, found.salt));
    }

    function keyCommitmentOf(IJob.Terms memory terms) internal view returns (bytes32) {
        return keccak256(abi.encode(escrow.jobIdOf(terms), BLINDED_KEY));
    }

    /// @dev The commitment that a reveal must carry beside the provider's measurement.
    function secretsOf(IJob.Terms memory terms) internal view returns (bytes32) {
        return keccak256(abi.encode(keyCommitmentOf(terms), tipOf(PROVIDERS_SECRET)));
    }

    function owedTo(address who, IJob.Terms memory terms) internal view returns (uint256) {
        return escrow.owed(who, terms.token);
    }
}
